"""Time that passes only when it is told to, secrets that must not be seen, and transports with scripted answers."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import responses
from requests.adapters import HTTPAdapter
from responses.registries import OrderedRegistry
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from urllib3.response import HTTPResponse

from MimecastAuth import HmacAuth, OAuthAuth
from MimecastConstants import GET_HOLD_LIST, RELEASE_HELD
from MimecastRateLimit import Deadline
from MimecastTransport import MimecastTransport

ROOT = "https://mimecast.test"
HOST = "mimecast.test"
READ = GET_HOLD_LIST
WRITE = RELEASE_HELD
READ_URL = ROOT + READ.path
WRITE_URL = ROOT + WRITE.path
TOKEN_URL = ROOT + "/oauth/token"
START = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)

APPLICATION_ID = "application-id-of-the-test"
APPLICATION_KEY = "application-key-of-the-test"
ACCESS_KEY = "access-key-of-the-test"
SECRET_KEY_BYTES = b"secret key of the test"
SECRET_KEY = base64.b64encode(SECRET_KEY_BYTES).decode()
CLIENT_ID = "client-id-of-the-test"
CLIENT_SECRET = "client-secret-of-the-test"
TOKEN = "token-of-the-test"
PROXY_PASSWORD = "proxy-password-of-the-test"
REQUEST_TEXT = "text-in-the-request-body"
ANSWER_TEXT = "text-in-the-answer-body"
SECRETS = (
    APPLICATION_ID,
    APPLICATION_KEY,
    ACCESS_KEY,
    SECRET_KEY,
    SECRET_KEY_BYTES.decode(),
    CLIENT_ID,
    CLIENT_SECRET,
    TOKEN,
    PROXY_PASSWORD,
    REQUEST_TEXT,
    ANSWER_TEXT,
)
"""What no exception may say: credentials, and what stands in the bodies of requests and answers."""

ITEM = {"id": REQUEST_TEXT}
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class FakeTime:
    """A clock in whole microseconds, so that adding up seconds never misses a moment by a rounding error."""

    def __init__(self) -> None:
        self._us = 0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self._us / 1e6

    def now(self) -> datetime:
        return START + timedelta(microseconds=self._us)

    def pass_by(self, seconds: float) -> None:
        self._us += math.ceil(seconds * 1e6)

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.pass_by(seconds)


def hmac_transport(time: FakeTime, seconds: float = 600, **options: Any) -> MimecastTransport:
    """A transport with API 1.0 keys; the caller's options are those of MimecastTransport."""
    transport = MimecastTransport(
        options.pop("api_root", ROOT),
        Deadline(time.monotonic, seconds),
        monotonic=time.monotonic,
        sleep=time.sleep,
        **options,
    )
    transport.auth = HmacAuth(APPLICATION_ID, APPLICATION_KEY, ACCESS_KEY, SECRET_KEY, clock=time.now)
    return transport


def oauth_transport(time: FakeTime, seconds: float = 600, **options: Any) -> MimecastTransport:
    """A transport with API 2.0 credentials."""
    transport = hmac_transport(time, seconds, **options)
    transport.auth = OAuthAuth(lambda: transport.fetch_token(CLIENT_ID, CLIENT_SECRET), time.monotonic)
    return transport


def scripted() -> responses.RequestsMock:
    """Answers in the order in which they are given; each must be asked for, and nothing beyond."""
    return responses.RequestsMock(registry=OrderedRegistry, assert_all_requests_are_fired=True)


def envelope(*rows: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"meta": {"status": 200} | meta, "data": list(rows), "fail": []}


def good(*rows: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """Options of a scripted answer that is a success."""
    return {"json": envelope(*(rows or ({"id": "1"},)), **meta)}


def refused(status: int, code: str, **headers: str) -> dict[str, Any]:
    """Options of a scripted answer of API 2.0's gateway."""
    return {"status": status, "json": {"fail": [{"code": code, "message": "a text"}]}, "headers": headers}


def token_answer(value: str = TOKEN, **changes: Any) -> dict[str, Any]:
    return {"json": {"access_token": value, "token_type": "Bearer", "expires_in": 1799} | changes}


def broken_connection(reason: Exception | None = None) -> requests.RequestException:
    """What requests raises when a connection is reset after the request was sent."""
    reason = reason or ConnectionResetError(104, "Connection reset by peer")
    return requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", reason))


def refused_connection() -> requests.RequestException:
    """What requests raises when nobody listens."""
    reason = NewConnectionError(None, "Failed to establish a new connection")  # type: ignore[arg-type]
    reason.__cause__ = ConnectionRefusedError(111, "Connection refused")
    return requests.exceptions.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def sent_body(call: responses.Call) -> Any:
    return json.loads(call.request.body or b"null")


class Body(io.RawIOBase):
    """A body that comes in pieces, each after something has happened."""

    def __init__(self, content: bytes, piece: int, before: Callable[[], None]) -> None:
        self._left = content
        self._piece = piece
        self._before = before

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._before()
        size = min(self._piece, len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def session_of(body: Callable[[], io.BufferedReader], headers: dict[str, str] | None = None) -> requests.Session:
    """A session whose only answer has such a body, read as http.client reads from a socket."""

    class Adapter(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            return self.build_response(request, HTTPResponse(body(), headers, status=200, preload_content=False))

    session = requests.Session()
    session.mount("https://", Adapter())
    return session


PASSING: dict[str, dict[str, Any]] = {
    "HTTP 500": {"status": 500, "json": {"fail": [{"code": "err", "message": "a text"}]}},
    "HTTP 502": {"status": 502, "body": f"<html>{ANSWER_TEXT}</html>"},
    "HTTP 503": {"status": 503, "body": ""},
    "HTTP 504": {"status": 504, "json": {}},
    "HTTP 509": {"status": 509, "body": b"\xff"},
    "500 inside of a 200": {"json": {"meta": {"status": 500}, "data": []}},
    "torn": {"body": f'{{"meta": {{"status": 200}}, "data": [{{"id": "{ANSWER_TEXT}'},
    "web page": {"body": f"<!DOCTYPE html><html>{ANSWER_TEXT}</html>"},
    "empty": {"body": b""},
    "JSON of somebody else": {"json": {"greeting": ANSWER_TEXT}},
    "reset": {"body": broken_connection()},
    "refused": {"body": refused_connection()},
    "no answer in time": {"body": requests.exceptions.ReadTimeout("Read timed out.")},
    "no connection in time": {"body": requests.exceptions.ConnectTimeout("timed out")},
    "shorter than announced": {"json": envelope(), "headers": {"Content-Length": "5000"}},
    "not what its encoding says": {"body": b"no gzip", "headers": {"Content-Encoding": "gzip"}},
}
"""Answers after which a read is tried again."""
