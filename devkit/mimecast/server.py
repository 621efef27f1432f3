"""The embedded Mimecast over HTTP on the loopback interface, with connections that stay open, or break on demand."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask

from devkit.mimecast.app import create_app
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi import call_app

LOOPBACK = "127.0.0.1"
IDLE_TIMEOUT_S = 120
# close() with this sends RST instead of FIN: linger on, for zero seconds. Windows has shorter fields.
LINGER_ZERO = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
# Self-signed, for tests of "certificate not trusted"; it protects nothing.
UNTRUSTED_CERTIFICATE = Path(__file__).with_name("untrusted.pem")


class _Handler(BaseHTTPRequestHandler):
    """Serves WSGI with keep-alive; werkzeug's own server closes after every answer, which spoils every benchmark."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self.send_error(411)
            return
        url = f"{self.server.base_url}{self.path}" if self.path.startswith("/") else self.path
        body = self.rfile.read(int(length))
        answer = call_app(self.server.app, self.command, url, self.headers.items(), body)
        if answer.broken:
            self.close_connection = True
        if answer.broken == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self.server.to_reset.add(self.connection)
        if answer.broken in ("reset", "close"):
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.sent_body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that they end with it."""

    daemon_threads = True
    block_on_close = False  # idle connections would hold it up
    request_queue_size = 128

    def __init__(self, app: Flask, scheme: str) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.app = app
        self.base_url = f"{scheme}://{LOOPBACK}:{self.server_port}"
        self.to_reset: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        if request in self.to_reset:
            self.to_reset.discard(request)
            request.close()  # without shutdown(), which would send FIN first
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is its own business."""

    def close_connections(self) -> None:
        """Ends the connections that are still open."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class MimecastServer:
    """The embedded Mimecast on a port that the system chose, in a background thread.

    Args:
        tenant: Who is served.
        app: Its app, if it has more in it than ``create_app`` gives.
        tls: Serve HTTPS with a certificate that nobody trusts.
    """

    def __init__(self, tenant: Tenant, app: Flask | None = None, *, tls: bool = False) -> None:
        self.tenant = tenant
        self._server = _Server(app or create_app(tenant), "https" if tls else "http")
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(UNTRUSTED_CERTIFICATE)
            # The handshake belongs into the connection's own thread, not into the one that accepts.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The API root."""
        return self._server.base_url

    def __enter__(self) -> MimecastServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops serving; open connections end."""
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()
