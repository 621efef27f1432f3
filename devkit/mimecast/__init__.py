"""The embedded Mimecast: Mimecast's API over HTTP on this machine, with data, faults and limits on demand.

Usual pieces: ``Tenant`` (data and settings), ``Mail`` and ``MailStream`` (what is in it), ``create_app``, and one way
to reach it: ``MimecastServer`` over HTTP, ``WsgiAdapter`` inside a process, ``python -m devkit.mimecast`` beside it.
"""
