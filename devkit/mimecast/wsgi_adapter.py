"""Answers ``requests`` straight from the embedded Mimecast, without sockets and without real waiting."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.response import HTTPResponse

from devkit.mimecast.app import SLEEP, create_app
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi import call_app


class WsgiAdapter(HTTPAdapter):
    """A transport adapter, to be mounted on a ``requests.Session``, behind which the embedded Mimecast answers.

    Connection faults become the exceptions that requests raises for them; an answer that takes longer than the read
    time-out becomes ReadTimeout without any waiting, though the request is carried out, as by a real server.

    Args:
        tenant: Who answers.
        before: Called with the number (from 1) and path of each request before it is sent; what it raises is raised.
        sleep: Called with the seconds that an answer takes, to move a clock on; nothing waits by default.
    """

    def __init__(
        self,
        tenant: Tenant,
        before: Callable[[int, str], None] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__()
        self.sent = 0
        self._app = create_app(tenant)
        self._before = before
        self._sleep = sleep
        self._lock = threading.Lock()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Sends one request, as requests' own adapter does."""
        with self._lock:
            self.sent += 1
            number = self.sent
        target = self.request_url(request, None)
        if self._before is not None:
            self._before(number, target.partition("?")[0])
        limit_s = read_timeout(timeout)
        delay_s = 0.0

        def let_time_pass(seconds: float) -> None:
            nonlocal delay_s
            delay_s += seconds
            if self._sleep is not None:
                self._sleep(min(seconds, limit_s))

        body = request.body or b""
        answer = call_app(
            self._app,
            str(request.method),
            _root(str(request.url)) + target,
            _headers(request),
            body.encode() if isinstance(body, str) else bytes(body),
            {SLEEP: let_time_pass},
        )
        if delay_s > limit_s:
            raise requests.exceptions.ReadTimeout(
                ReadTimeoutError(None, request.url, f"Read timed out. (read timeout={limit_s})"),  # type: ignore[arg-type]
                request=request,
            )
        if answer.broken in ("reset", "close"):
            reason = (
                ConnectionResetError(104, "Connection reset by peer")
                if answer.broken == "reset"
                else RemoteDisconnected("Remote end closed connection without response")
            )
            raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", reason), request=request)
        raw = HTTPResponse(
            body=io.BytesIO(answer.sent_body),
            headers=HTTPHeaderDict(answer.headers),
            status=answer.status,
            reason=answer.reason,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def read_timeout(timeout: float | tuple[float | None, float | None] | None) -> float:
    """Seconds that a client waits for an answer; infinite if it named none."""
    seconds = timeout[1] if isinstance(timeout, tuple) else timeout
    return float("inf") if seconds is None else seconds


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _headers(request: requests.PreparedRequest) -> Iterator[tuple[str, str]]:
    for name, value in request.headers.items():
        yield name, value.decode("latin-1") if isinstance(value, bytes) else value
