"""How both carriers, the HTTP server and the in-process adapter, call the app."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask

from devkit.mimecast.app import BROKEN


@dataclass(frozen=True)
class WsgiAnswer:
    """What the app answered, and how the connection shall break ("reset", "close", "cut") if it shall."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    broken: str | None

    @property
    def sent_body(self) -> bytes:
        """As much of the body as reaches the client."""
        return self.body[: len(self.body) // 2] if self.broken == "cut" else self.body


def call_app(
    app: Flask,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    extra: dict[str, Any] | None = None,
) -> WsgiAnswer:
    """Calls a WSGI app.

    Args:
        app: The app.
        method: HTTP method.
        url: The whole URL; its host and port serve where there is no Host header.
        headers: The request's headers.
        body: The request's body.
        extra: More for the WSGI environment.

    Returns:
        The answer, complete.
    """
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc.rpartition("@")[2],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.update(extra or {})
    started: list[Any] = []

    def start_response(status: str, answer_headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., None]:
        started[:] = [status, answer_headers]
        return lambda data: None

    content = b"".join(app(environ, start_response))
    code, _, reason = started[0].partition(" ")
    return WsgiAnswer(int(code), reason, started[1], content, environ.get(BROKEN))
