"""Runs an action's script in this process: real script and SDK object, embedded Mimecast without sockets or waiting."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

import MimecastAction
import SiemplifyUtils
from devkit.laptop import embedded_configuration
from devkit.mimecast.mail import Mail
from devkit.mimecast.mailstore import TrackedRow
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter
from devkit.platform.definitions import Package, load_package
from devkit.platform.results import ActionRun, Ended
from SiemplifyAction import SiemplifyAction
from tests.fake_time import FakeTime

ROOT = Path(__file__).resolve().parents[2]
PACKAGE: Package = load_package(ROOT)
NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)  # a Wednesday

COMPLETED, FAILED = 0, 2

TOKEN = "/oauth/token"
ACCOUNT = "/api/account/get-account"
INFO = "/api/message-finder/get-message-info"
TRACKING = "/api/message-finder/search"
SANDBOX = "/api/message-finder/release-held-email-to-sandbox"
REPORT = "/api/message-finder/report-message"
HOLD_LIST = "/api/gateway/get-hold-message-list"
RELEASE = "/api/gateway/hold-release"
REJECT = "/api/gateway/hold-reject"
MANAGED = "/api/managedsender/permit-or-block-sender"
POLICY = "/api/policy/blockedsenders/create-policy"
ARCHIVE = "/api/archive/search"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def held_mail(number: int = 1, **changes: Any) -> Mail:
    """A mail on hold, received ten minutes ago."""
    values: dict[str, Any] = {
        "message_id": f"<{number}@sender.example>",
        "sender": "eve@sender.example",
        "recipients": ["ann@corp.example"],
        "received": NOW - minutes(10),
        "subject": f"Mail {number}",
        "text": "Hello",
    }
    return Mail(**(values | changes))


def archived_mail(number: int = 1, **changes: Any) -> Mail:
    """A mail in the archive, received ten minutes ago."""
    return held_mail(number, **({"status": "archived"} | changes))


def configuration_of(tenant: Tenant, *, oauth: bool, api_root: str = "https://mimecast.test") -> dict[str, str]:
    """The integration's configuration for a tenant."""
    return embedded_configuration(api_root, tenant.credentials, oauth=oauth)


class Desk:
    """An analyst's desk: a tenant of the embedded Mimecast, and actions that are run against it.

    Attributes:
        tenant: The embedded Mimecast.
        calls: Paths of the requests of the last action, in order, the token's too.
        bodies: Their JSON bodies.
        configuration: The integration's; it may be changed.
        canned: Answers that take the place of the embedded Mimecast's, by path: what to answer, or a function for it
            that may leave it to the embedded Mimecast by answering None.
    """

    def __init__(self, *mails: Mail, oauth: bool = False, now: datetime = NOW, **settings: Any) -> None:
        self.oauth = oauth
        self.time = FakeTime(now)
        self.tenant = Tenant(clock=self.time.read, **settings)
        self.rows: list[TrackedRow] = self.tenant.add(*mails)
        self.calls: list[str] = []
        self.bodies: list[Any] = []
        self.canned: dict[str, Any] = {}
        self.configuration = configuration_of(self.tenant, oauth=oauth)

    def run(self, stem: str, parameters: Mapping[str, Any] | None = None, **options: Any) -> ActionRun:
        """Run an action to its end.

        Args:
            stem: Which, by its file's name.
            parameters: What the analyst fills into the form; the rest keeps the form's defaults.
            options: ``exactly=True`` for no defaults.
        """
        given = dict(parameters or {})
        definition = PACKAGE.actions[stem]
        values = given if options.get("exactly") else definition.fill(given)
        module = load_script(stem)
        self.calls, self.bodies = [], []
        session = requests.Session()
        session.mount("https://", _Adapter(self))
        run = partial(MimecastAction.run_action, clock=self.time.clock(), session=session)
        context = {
            "target_entities": [],
            "case_id": 0,
            "alert_id": "alert-1",
            "environment": "Default Environment",
            "workflow_id": "local",
            "parameters": values,
            "integration_identifier": "Mimecast",
            "integration_instance": "Mimecast-instance",
            "action_definition_name": definition.name,
            "original_requesting_user": "local",
            "execution_deadline_unix_time_ms": 0,
            "default_result_value": "",
        }
        configuration = mock.Mock(return_value=self.configuration)
        with (
            mock.patch.object(module, "run_action", run),
            mock.patch.object(SiemplifyAction, "get_configuration", configuration),
            _as_process(context) as stdout,
        ):
            try:
                module.main()
                exit_code = -1  # ``end`` leaves the script
            except SystemExit as leave:
                exit_code = int(str(leave.code))
        return ActionRun(exit_code=exit_code, ended=Ended.BY_ITSELF, seconds=0.0, stdout=stdout.getvalue(), stderr="")

    def sent(self, path: str) -> list[Any]:
        """Bodies of the last action's requests to one path."""
        return [body for called, body in zip(self.calls, self.bodies, strict=True) if called == path]


class _Adapter(WsgiAdapter):
    """The embedded Mimecast, with canned answers before it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.tenant, sleep=desk.time.sleep)
        self._desk = desk

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        path = request.path_url.partition("?")[0]
        self._desk.calls.append(path)
        body = request.body if path != TOKEN else None
        self._desk.bodies.append(json.loads(body) if body else None)
        answer = self._desk.canned.get(path)
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return super().send(request, *args, **options)
        return canned_response(self, request, answer)


def canned_response(adapter: HTTPAdapter, request: requests.PreparedRequest, answer: Any) -> requests.Response:
    """Make a response of a JSON document, of bytes, or of a pair of status and either; raise an exception."""
    if isinstance(answer, BaseException):
        raise answer
    status, content = answer if isinstance(answer, tuple) else (200, answer)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    raw = HTTPResponse(
        io.BytesIO(body), {"Content-Type": "application/json"}, status, preload_content=False, request_method="POST"
    )
    return adapter.build_response(request, raw)


def load_script(stem: str) -> ModuleType:
    """Import an action's script as the platform would, by its file."""
    script = PACKAGE.actions[stem].script
    assert script is not None
    spec = importlib.util.spec_from_file_location(f"script_{stem}", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _as_process(context: Mapping[str, Any]) -> Iterator[io.StringIO]:
    """Make this process look like the action's own to the SDK; whatever the SDK changes is put back."""
    stdin, stdout = io.TextIOWrapper(io.BytesIO(json.dumps(context).encode())), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    log = logging.getLogger("siemplify_default_logger")
    platform = {"APP_IP": "127.0.0.1", "APP_PORT": "9", "APP_USE_SSL": "False"}
    shown = io.StringIO()
    try:
        with (
            mock.patch.dict(os.environ, platform),
            mock.patch.object(sys, "argv", ["script.py", "api-key"]),
            mock.patch.object(sys, "stdin", stdin),
            mock.patch.object(sys, "stdout", shown),
            mock.patch.object(sys, "stderr", io.StringIO()),
            mock.patch.object(SiemplifyUtils, "real_stdout", stdout),
            mock.patch.object(SiemplifyUtils, "my_stdout", shown),
        ):
            yield stdout
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for each in list(log.handlers):
            log.removeHandler(each)


def function_error(message: str, code: str = "err_validation_value_not_allowed", **more: Any) -> dict[str, Any]:
    """An answer in which a function refuses: ``fail[].errors[]``."""
    error = {"code": code, "message": message, "retryable": False} | more
    return {"meta": {"status": 200}, "data": [], "fail": [{"key": {}, "errors": [error]}]}


def gateway_error(message: str, code: str = "err_gateway") -> dict[str, Any]:
    """The other shape of ``fail``."""
    return {"meta": {"status": 200}, "data": [], "fail": [{"code": code, "message": message}]}


def good(*rows: Any, **pagination: Any) -> dict[str, Any]:
    """A good answer."""
    meta: dict[str, Any] = {"status": 200}
    if pagination:
        meta["pagination"] = pagination
    return {"meta": meta, "data": list(rows), "fail": []}
