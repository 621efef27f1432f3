"""A connector in this process: embedded Mimecast without sockets, a platform that can fail, no waiting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import requests

from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter
from MimecastConnector import MessageTrackingConnector
from MimecastWorkers import WORKERS
from tests.fake_time import FakeTime

START = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process was killed: nothing it would have written counts."""


class Log:
    """The SDK's logger: it has no ``warning``."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def info(self, text: str) -> None:
        self.rows.append(("info", text))

    def warn(self, text: str) -> None:
        self.rows.append(("warn", text))

    def error(self, text: str) -> None:
        self.rows.append(("error", text))

    def exception(self, text: object) -> None:
        self.rows.append(("exception", str(text)))

    def text(self, *levels: str) -> str:
        return "\n".join(text for level, text in self.rows if not levels or level in levels)


@dataclass
class PlatformMemory:
    """What the platform keeps between cycles: the connector's context, and what it took in."""

    context: dict[str, str] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)


class FakeConnectorObject:
    """The part of the SDK's connector object that the connector uses; state writes can be made to fail or kill."""

    def __init__(
        self,
        memory: PlatformMemory,
        parameters: dict[str, Any],
        *,
        whitelist: list[str] | None = None,
        is_test_run: bool = False,
        on_write: Callable[[str, Callable[[], None]], None] | None = None,
        overflow_limit: int | None = None,
    ) -> None:
        self._memory = memory
        self.parameters = parameters
        self.whitelist = whitelist
        self.is_test_run = is_test_run
        self.context = SimpleNamespace(
            connector_info=SimpleNamespace(
                identifier="connector-1", integration="Mimecast", environment="Default Environment"
            ),
            vault_settings=None,
        )
        self.LOGGER = Log()
        self.packages: list[str] = []
        self._on_write = on_write or (lambda key, write: write())
        self._overflow_limit = overflow_limit
        self._rules: Counter[str] = Counter()
        self.overflow_asked = 0

    def get_connector_context_property(self, identifier: str, key: str) -> Any:
        return self._memory.context.get(key)

    def set_connector_context_property(self, identifier: str, key: str, value: str) -> None:
        assert len(value) <= 3_000_000

        def write() -> None:
            self._memory.context[key] = value

        self._on_write(key, write)

    def fetch_timestamp(self) -> int:
        return int(self._memory.context.get("timestamp") or 0)

    def save_timestamp(self, new_timestamp: int) -> None:
        self.set_connector_context_property("connector-1", "timestamp", json.dumps(new_timestamp))

    def is_overflowed_alert(self, environment: str, alert_identifier: str, **details: Any) -> bool:
        self.overflow_asked += 1
        if self._overflow_limit is None:
            return False
        rule = str(details.get("alert_name"))
        self._rules[rule] += 1
        return self._rules[rule] > self._overflow_limit

    def return_package(self, alerts: list[Any]) -> None:
        self.packages.append(json.dumps(alerts, default=lambda item: item.__dict__))


@dataclass
class CycleResult:
    """What one cycle gave."""

    alerts: list[dict[str, Any]]
    packages: int
    log: Log
    requests: Counter[str]
    killed: bool
    seconds: float

    @property
    def tickets(self) -> list[str]:
        return [alert["ticket_id"] for alert in self.alerts]


class World:
    """A tenant, a platform and a clock, and cycles of the connector between them."""

    def __init__(
        self, *, oauth: bool = False, now: datetime = START, workers: int = WORKERS, **parameters: str
    ) -> None:
        self.time = FakeTime(now)
        self.tenant = Tenant(clock=self.time.read)
        self.memory = PlatformMemory()
        self.workers = workers
        credentials = self.tenant.credentials
        self.parameters: dict[str, Any] = {
            "API Root": "https://mimecast.test",
            "Domains": "corp.example",
            "Verify SSL": "true",
            "PythonProcessTimeout": "180",
            "Status Filter": "held",
            "Max Hours Backwards": "1",
            "Max Messages To Return": "100",
            "DeviceProductField": "Product Name",
            "EventClassId": "event_type",
        }
        if oauth:
            self.parameters |= {"Client ID": credentials.client_id, "Client Secret": credentials.client_secret}
        else:
            self.parameters |= {
                "Application ID": credentials.application_id,
                "Application Key": credentials.application_key,
                "Access Key": credentials.access_key,
                "Secret Key": credentials.secret_key,
            }
        self.parameters |= {name.replace("_", " "): value for name, value in parameters.items()}

    def cycle(
        self,
        *,
        test_run: bool = False,
        whitelist: list[str] | None = None,
        before: Callable[[int, str], None] | None = None,
        on_write: Callable[[str, Callable[[], None]], None] | None = None,
        overflow_limit: int | None = None,
    ) -> CycleResult:
        """Run one cycle; if it is killed, what it wrote to its output does not count."""
        siemplify = FakeConnectorObject(
            self.memory,
            dict(self.parameters),
            whitelist=whitelist,
            is_test_run=test_run,
            on_write=on_write,
            overflow_limit=overflow_limit,
        )
        session, downloads = requests.Session(), requests.Session()
        adapter = WsgiAdapter(self.tenant, before=before, sleep=self.time.sleep)
        for each in (session, downloads):
            each.mount("https://", adapter)
            each.mount("http://", adapter)
        counted = len(self.tenant.requests)
        begun, killed = self.time.monotonic(), False
        try:
            MessageTrackingConnector(
                siemplify,  # type: ignore[arg-type]
                clock=self.time.clock(),
                session=session,
                download_session=downloads,
                workers=self.workers,
            ).run()
        except Killed:
            killed = True
        packages = [] if killed else [json.loads(text) for text in siemplify.packages]
        alerts = [alert for package in packages for alert in package]
        if not test_run:
            self.memory.alerts += alerts
        return CycleResult(
            alerts=alerts,
            packages=len(packages),
            log=siemplify.LOGGER,
            requests=Counter(record.path for record in self.tenant.requests[counted:]),
            killed=killed,
            seconds=self.time.monotonic() - begun,
        )

    def tickets(self) -> list[str]:
        """Tracking IDs of all alerts so far, in order."""
        return [alert["ticket_id"] for alert in self.memory.alerts]
