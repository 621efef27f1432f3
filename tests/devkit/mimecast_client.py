"""A small client of the embedded Mimecast for its own tests; it signs by itself, with nothing of devkit's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests

from devkit.mimecast.mail import AttachedFile, Mail
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter

URL = "http://mimecast.example"
NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)

ACCOUNT = "/api/account/get-account"
SEARCH = "/api/message-finder/search"
INFO = "/api/message-finder/get-message-info"
HOLD_LIST = "/api/gateway/get-hold-message-list"
RELEASE = "/api/gateway/hold-release"
REJECT = "/api/gateway/hold-reject"
DETAIL = "/api/gateway/message/get-message-detail"
FILE = "/api/gateway/message/get-file"
SANDBOX = "/api/message-finder/release-held-email-to-sandbox"
REPORT = "/api/message-finder/report-message"
MANAGED = "/api/managedsender/permit-or-block-sender"
POLICY = "/api/policy/blockedsenders/create-policy"
ARCHIVE = "/api/archive/search"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def a_tenant(**settings: Any) -> Tenant:
    return Tenant(clock=lambda: NOW, **settings)


def a_mail(number: int = 1, **changes: Any) -> Mail:
    values: dict[str, Any] = {
        "message_id": f"<{number}@sender.example>",
        "sender": "eve@sender.example",
        "recipients": ["ann@corp.example"],
        "received": NOW - minutes(10),
        "subject": f"Mail {number}",
        "text": "Hello",
        "html": "<p>Hello</p>",
    }
    return Mail(**(values | changes))


def a_file(name: str = "a.txt", content: bytes = b"content of a file") -> AttachedFile:
    return AttachedFile(name, content, "text/plain")


def header_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True).replace("GMT", "UTC")


class Client:
    """Calls functions with good credentials, in-process, or over HTTP where a URL is given."""

    def __init__(
        self, tenant: Tenant, auth: str = "oauth", url: str = "", before: Callable[[int, str], None] | None = None
    ) -> None:
        self.tenant = tenant
        self.auth = auth
        self.url = url or URL
        self.session = requests.Session()
        self.session.trust_env = False
        if not url:
            self.session.mount("http://", WsgiAdapter(tenant, before=before))
        if auth == "oauth":
            self.session.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def token(self, **changes: str) -> requests.Response:
        known = self.tenant.credentials
        form = {
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "grant_type": "client_credentials",
        }
        return self.session.post(f"{self.url}/oauth/token", data=form | changes, headers={"Authorization": None})

    def signed(self, path: str, **changes: str) -> dict[str, str]:
        """Headers of API 1.0; ``changes`` change what is signed and sent alike."""
        known = self.tenant.credentials
        date = changes.get("date", header_date(self.tenant.clock()))
        request_id = changes.get("request_id", str(uuid.uuid4()))
        text = f"{date}:{request_id}:{path}:{changes.get('application_key', known.application_key)}"
        secret = base64.b64decode(changes.get("secret_key", known.secret_key))
        signature = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha1).digest()).decode()
        return {
            "Authorization": f"MC {changes.get('access_key', known.access_key)}:{signature}",
            "x-mc-app-id": changes.get("application_id", known.application_id),
            "x-mc-date": date,
            "x-mc-req-id": request_id,
        }

    def post(self, path: str, *items: Any, meta: Any = None, **options: Any) -> requests.Response:
        body: dict[str, Any] = {"data": list(items)} | ({"meta": meta} if meta is not None else {})
        if "data" not in options:
            options.setdefault("json", body)
        if self.auth == "hmac":
            options.setdefault("headers", self.signed(path))
        return self.session.post(self.url + path, **options)

    def page(self, path: str, item: Any, size: int | None = None, token: str | None = None) -> dict[str, Any]:
        pagination = {"pageSize": size, "pageToken": token}
        meta = {"pagination": {name: value for name, value in pagination.items() if value is not None}}
        body: dict[str, Any] = self.post(path, item, meta=meta).json()
        return body

    def data(self, path: str, *items: Any) -> list[Any]:
        """The rows of a call that is expected to succeed."""
        response = self.post(path, *items)
        assert response.status_code == 200, response.text
        assert response.json()["fail"] == []
        data: list[Any] = response.json()["data"]
        return data

    def error(self, path: str, *items: Any, **options: Any) -> dict[str, Any]:
        """The error of a call that its function is expected to refuse: HTTP 200, no data, fail with key and errors."""
        response = self.post(path, *items, **options)
        body = response.json()
        assert response.status_code == body["meta"]["status"] == 200, response.text
        assert body["data"] == []
        assert len(body["fail"]) == 1
        assert set(body["fail"][0]) == {"key", "errors"}
        error: dict[str, Any] = body["fail"][0]["errors"][0]
        assert error["message"] and error["retryable"] is False
        return error

    def search(self, **item: Any) -> list[dict[str, Any]]:
        """Tracked rows; to corp.example unless other options are given."""
        if "messageId" not in item:
            item.setdefault("advancedTrackAndTraceOptions", {"to": "corp.example"})
        rows: list[dict[str, Any]] = self.data(SEARCH, item)[0]["trackedEmails"]
        return rows
