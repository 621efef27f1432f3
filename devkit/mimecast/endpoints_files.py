"""Attachments of held messages: their list, their link, and the download itself (facts 3.8)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request, Response, redirect

from devkit.mimecast.endpoints_messages import refuse_truncated
from devkit.mimecast.envelope import Answer, Call, FunctionError, text_of
from devkit.mimecast.mail import AttachedFile
from devkit.mimecast.rows import attachment_id, attachment_row
from devkit.mimecast.tenant import Tenant

DOWNLOAD_PATH = "/download"
# Where a redirected download ends; a link's secret is good for both.
MOVED_PATH = f"{DOWNLOAD_PATH}/moved"


def get_message_detail(tenant: Tenant, call: Call) -> Answer:
    """gateway/message/get-message-detail: a held message's attachments, by held ID."""
    held_id = text_of(call.only_item(), "id")
    with tenant.lock:
        row = tenant.store.by_held_id.get(held_id)
        if row is None:
            refuse_truncated(held_id)
            raise FunctionError("xdk_failure", "0007 Invalid token", field="id")
        if not row.on_hold:
            raise FunctionError("err_message_not_held", "The message is not on hold", field="id")
        shown = []
        for position, file in enumerate(row.mail.attachments):
            tenant.store.attachments[attachment_id(row, position)] = (row, file)
            shown.append(attachment_row(row, position, file))
    return Answer([{"id": held_id, "subject": row.mail.subject, "attachments": shown}])


def get_file(tenant: Tenant, call: Call) -> Answer | Response:
    """gateway/message/get-file: a short-lived link to one attachment, or its bytes."""
    wanted = text_of(call.only_item(), "id")
    file = _attachment(tenant, wanted)
    if file is None:
        raise FunctionError("xdk_failure", "0007 Invalid token", field="id")
    if tenant.file_answer == "bytes":
        return _bytes_of(file)
    base = with_host(call.base_url, tenant.download_host) if tenant.download_host else call.base_url
    return Answer([{"urls": [f"{base}{DOWNLOAD_PATH}/{tenant.issue_link(wanted)}?X-Amz-Expires=600"]}])


def _attachment(tenant: Tenant, wanted: str) -> AttachedFile | None:
    with tenant.lock:
        row, file = tenant.store.attachments.get(wanted, (None, None))
        return file if row is not None and row.on_hold else None


def _bytes_of(file: AttachedFile) -> Response:
    return Response(file.content, mimetype=file.content_type)


def download(tenant: Tenant, path: str, request: Request) -> Response:
    """The link itself: a plain GET. Credentials have no business here; they are refused and remembered."""
    leaks = [name for name, _ in request.headers if name.lower() == "authorization" or name.lower().startswith("x-mc-")]
    if leaks:
        tenant.note_leaks(path, leaks)
        return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    if request.method != "GET":
        return _refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource")
    moved, secret = path.startswith(f"{MOVED_PATH}/"), path.rpartition("/")[2]
    if tenant.redirect_host and not moved:
        return redirect(f"{with_host(request.host_url.rstrip('/'), tenant.redirect_host)}{MOVED_PATH}/{secret}", 302)  # type: ignore[return-value]
    wanted = tenant.follow_link(secret)
    file = _attachment(tenant, wanted) if wanted else None
    return _bytes_of(file) if file else _refusal(403, "AccessDenied", "Request has expired")


def _refusal(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status=status, mimetype="application/xml")


def with_host(url: str, host: str) -> str:
    """The URL with another host name and the same port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
