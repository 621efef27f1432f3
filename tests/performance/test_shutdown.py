"""A script ends when it has to, however many of its requests hang: real processes, real connections."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from devkit.laptop import Laptop, embedded_configuration
from devkit.mimecast.faults import Fault
from devkit.mimecast.ledger import Ledger, RequestRecord
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.platform.results import Ended
from tests.connector.mails import held_mails

DETAILS = "/api/message-finder/get-message-info"
HANGING_S = 300.0
PATIENCE_S = 60
TERMINATED = 113
"""Exit status of the SDK's own answer to SIGTERM: -143, as a byte."""
MOST_SECONDS = 20.0
"""Far below the hanging requests, far above the two seconds that an idle machine needs at most."""


class WatchedLedger(Ledger):
    """Tells when eight requests are under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.eight_hang = threading.Event()

    def arrive(self, *args: Any) -> tuple[RequestRecord, bool]:
        record, replayed = super().arrive(*args)
        if record.path == DETAILS and record.in_flight == 8:
            self.eight_hang.set()
        return record, replayed


@pytest.fixture
def server() -> Iterator[MimecastServer]:
    tenant = Tenant()
    tenant.ledger = WatchedLedger()
    tenant.add(*held_mails(20, tenant.clock() - timedelta(minutes=30)))
    tenant.fault(Fault("slow", path=DETAILS, times=None, seconds=HANGING_S))
    with MimecastServer(tenant) as server:
        yield server


@pytest.fixture
def laptop(server: MimecastServer) -> Iterator[Laptop]:
    with Laptop(embedded_configuration(server.url, server.tenant.credentials)) as laptop:
        laptop.platform.server.settings.overflow_policy = {"is_overflow_enabled": False}
        yield laptop


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGTERM")
def test_sigterm_ends_the_connector_though_eight_requests_hang(server: MimecastServer, laptop: Laptop) -> None:
    definition = laptop.connector_definition
    assert definition.script
    parameters = definition.connector_params(
        embedded_configuration(server.url, server.tenant.credentials) | {"Domains": "corp.example"}
    )
    running = laptop.platform.start_connector(definition.script, parameters, identifier="to-be-stopped")
    ledger = server.tenant.ledger
    assert isinstance(ledger, WatchedLedger)
    assert ledger.eight_hang.wait(PATIENCE_S)
    begun = time.monotonic()
    running.terminate()
    run = running.finish()
    assert time.monotonic() - begun < MOST_SECONDS
    assert run.ended is Ended.STOPPED
    assert run.exit_code == TERMINATED
    assert run.stdout == ""
    assert run.platform_calls["SetContextProperty"] <= 1, "only the checkpoint of before may have been written"


def test_at_its_deadline_the_connector_hands_over_and_ends_though_requests_hang(laptop: Laptop) -> None:
    run = laptop.connector({"Domains": "corp.example", "PythonProcessTimeout": "5"})
    assert run.ended is Ended.BY_ITSELF
    assert run.exit_code == 0
    assert run.alerts == []
    assert run.seconds < MOST_SECONDS
    assert "left for the next cycle 20" in run.debug_output or "failed" in run.debug_output
