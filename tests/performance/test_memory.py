"""What is in memory at once: rows as long as they are needed, details of few messages, files within their budget."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import MimecastConnector
from MimecastIngestion import CYCLE_FILES_BUDGET_CHARS
from MimecastManager import MimecastManager
from MimecastWorkers import WORKERS
from tests.connector.mails import attachment, held_mails
from tests.connector.world import START, World
from tests.performance.threads import wait_until_no_worker_is_left

RECENTLY = START - timedelta(minutes=50)
MARGIN = 2
"""One message whose alert is being built, and one whose result is being handed over."""


class Alive:
    """Counts which results of a method are still in memory."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._made: list[weakref.ref[Any]] = []

    def __get__(self, manager: MimecastManager, kind: type[MimecastManager]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            result = self._method(manager, *args, **options)
            for one in result if isinstance(result, tuple) else (result,):
                self._made.append(weakref.ref(one))
            return result

        return call

    @property
    def made(self) -> int:
        return len(self._made)

    def count(self) -> int:
        return sum(reference() is not None for reference in self._made)


def at_each_alert(monkeypatch: pytest.MonkeyPatch, look: Callable[[], None]) -> None:
    build = MimecastConnector.build_alert

    def build_and_look(*args: Any) -> Any:
        look()
        return build(*args)

    monkeypatch.setattr(MimecastConnector, "build_alert", build_and_look)


@pytest.mark.parametrize("workers", [1, 8])
def test_details_are_dropped_once_their_alert_is_built(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    details = Alive(MimecastManager.message_details)
    monkeypatch.setattr(MimecastManager, "message_details", details)
    most = 0

    def look() -> None:
        nonlocal most
        most = max(most, details.count())

    at_each_alert(monkeypatch, look)
    world = World(workers=workers, Max_Messages_To_Return="1000")
    world.tenant.add(*held_mails(150, RECENTLY))
    assert len(world.cycle().alerts) == details.made == 150
    assert 1 <= most <= (workers if workers > 1 else 0) + MARGIN
    wait_until_no_worker_is_left()
    assert details.count() == 0


def test_of_5_000_rows_a_cycle_keeps_each_once_and_reads_only_what_it_ingests(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Alive(MimecastManager.search_tracked)
    details = Alive(MimecastManager.message_details)
    monkeypatch.setattr(MimecastManager, "search_tracked", rows)
    monkeypatch.setattr(MimecastManager, "message_details", details)
    at_once = []
    at_each_alert(monkeypatch, lambda: at_once.append(rows.count()))
    world = World(Max_Messages_To_Return="5")
    world.tenant.add(*held_mails(5001, RECENTLY, timedelta(milliseconds=500)))
    assert len(world.cycle().alerts) == 5
    assert max(at_once) == 5001
    assert details.made <= 5 + WORKERS
    wait_until_no_worker_is_left()
    gc.collect()
    assert (rows.count(), details.count()) == (0, 0)


def test_attachments_stay_within_a_cycles_budget() -> None:
    world = World()
    files = [attachment(3 * 1024 * 1024)]
    world.tenant.add(*held_mails(12, RECENTLY, attachments=files))
    sizes = []
    for _ in range(12):
        cycle = world.cycle()
        if not cycle.alerts:
            break
        blobs = [blob for alert in cycle.alerts for blob in alert["attachments"]]
        sizes.append(sum(len(blob["base64_blob"]) for blob in blobs))
    assert len(world.tickets()) == 12
    assert max(sizes) <= CYCLE_FILES_BUDGET_CHARS
    assert len(sizes) > 1
