"""The connector as real processes, killed in every phase by SIGTERM and by SIGKILL: nothing is lost or doubled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import pytest

from devkit.laptop import CONNECTOR, ROOT, embedded_configuration
from devkit.mimecast.app import create_app
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.platform.definitions import load_package
from devkit.platform.kill import Kill
from devkit.platform.process import RunningScript
from devkit.platform.results import ConnectorRun, Ended
from devkit.platform.runner import Platform
from devkit.platform.server import Call
from tests.connector.mails import attachment, held_mails

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither signal")

SIGTERM_EXIT = 113  # what the SDK makes of SIGTERM (platform contract, 1)
MAILS = 6


class Stage:
    """An embedded Mimecast and a local platform, with a script that can be stopped when it asks Mimecast something."""

    def __init__(self) -> None:
        self.tenant = Tenant()
        self.running: RunningScript[ConnectorRun] | None = None
        self.at: Callable[[str], None] | None = None
        app = create_app(self.tenant)
        app.before_request(self._asked)
        self.server = MimecastServer(self.tenant, app)
        self.platform = Platform(ROOT)
        self.definition = load_package(ROOT).connectors[CONNECTOR]
        self.tickets: list[str] = []

    def _asked(self) -> None:
        if self.at is not None:
            self.at(flask.request.path)

    def params(self) -> list[dict[str, Any]]:
        configuration = embedded_configuration(self.server.url, self.tenant.credentials)
        return self.definition.connector_params(configuration | {"Domains": "corp.example"})

    def script(self) -> Path:
        assert self.definition.script is not None
        return self.definition.script

    def cycle(self, kill: Kill | None = None) -> ConnectorRun:
        run = self.platform.run_connector(self.script(), self.params(), identifier="c", kill=kill)
        self.tickets += [alert["ticket_id"] for alert in run.alerts]
        return run

    def cycle_stopped_at(self, path: str, stop: str) -> ConnectorRun:
        """Run a cycle and stop it when it first asks Mimecast for something."""

        def at(asked: str) -> None:
            if asked.startswith(path) and self.at is not None:
                self.at = None
                getattr(running, stop)()

        # The script needs some tenths of a second to start, so it is known here before it asks for anything.
        running = self.platform.start_connector(self.script(), self.params(), identifier="c")
        self.at = at
        run = running.finish()
        assert self.at is None, "it was never asked for"
        self.tickets += [alert["ticket_id"] for alert in run.alerts]
        return run


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    with stage.server, stage.platform:
        now = datetime.now(UTC)
        stage.tenant.add(*held_mails(MAILS, now - timedelta(minutes=10), attachments=[attachment()]))
        yield stage


def assert_exactly_once(stage: Stage) -> None:
    for _ in range(2):
        assert stage.cycle().envelope is not None
    assert sorted(stage.tickets) == sorted(row.tracking_id for row in stage.tenant.rows())


@pytest.mark.parametrize("stop", ["terminate", "kill"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/message-finder/search",
        "/api/gateway/get-hold-message-list",
        "/api/message-finder/get-message-info",
        "/api/gateway/message/get-message-detail",
        "/download",
    ],
)
def test_stopped_while_it_asks_mimecast(stage: Stage, path: str, stop: str) -> None:
    run = stage.cycle_stopped_at(path, stop)
    assert run.envelope is None
    assert run.exit_code == (SIGTERM_EXIT if stop == "terminate" else -9)
    assert_exactly_once(stage)


def _call(endpoint: str, key: str) -> Callable[[Call], bool]:
    def when(call: Call) -> bool:
        return call.endpoint == endpoint and isinstance(call.body, dict) and call.body.get("PropertyKey") == key

    return when


@pytest.mark.parametrize(
    ("endpoint", "key", "applied"),
    [
        ("GetContextProperty", "mimecast_state", False),
        ("SetContextProperty", "overflow_data", True),
        ("SetContextProperty", "mimecast_state", False),
        ("SetContextProperty", "mimecast_state", True),
        ("SetContextProperty", "mimecast_delivered", False),
    ],
)
def test_killed_while_it_talks_to_the_platform(stage: Stage, endpoint: str, key: str, applied: bool) -> None:
    run = stage.cycle(Kill(_call(endpoint, key), after_applying=applied))
    assert run.ended is Ended.STOPPED
    assert run.envelope is None
    assert_exactly_once(stage)


def test_a_platform_that_fails_each_write_once_doubles_nothing(stage: Stage) -> None:
    stage.platform.server.fail_writes(1, after_applying=True)
    assert stage.cycle().envelope is not None
    stage.platform.server.fail_writes(1)
    assert_exactly_once(stage)
