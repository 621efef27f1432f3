"""Each endpoint, with each fault, once or for ever, with both credentials: each message is an alert exactly once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from devkit.mimecast.faults import Fault
from MimecastWorkers import WORKERS
from tests.connector.mails import attachment, held_mails
from tests.connector.test_connector import DETAILS, FILE, FILES, HOLD, SEARCH
from tests.connector.world import START, World

TOKEN = "/oauth/token"
DOWNLOAD = "/download"
KINDS = ("429", "500", "503", "reset", "close", "torn", "html", "empty", "slow")
ENDPOINTS = (SEARCH, DETAILS, HOLD, FILES, FILE, DOWNLOAD, TOKEN)
CYCLES = 6
MAILS = 4
SLOW_S = 1000.0
NEEDED = (SEARCH, TOKEN)
"""Without these nothing can be ingested at all; all comes when they work again."""

CASES = [
    pytest.param(
        path, kind, times, oauth, id=f"{path}-{kind}-{'once' if times else 'for-ever'}-{'oauth' if oauth else 'hmac'}"
    )
    for path in ENDPOINTS
    for kind in KINDS
    for times in (1, None)
    for oauth in (False, True)
    if oauth or path != TOKEN
]


@pytest.mark.parametrize(("path", "kind", "times", "oauth"), CASES)
def test_each_message_is_an_alert_exactly_once(path: str, kind: Any, times: int | None, oauth: bool) -> None:
    # The one clock of a World adds up what threads would wait at the same time; so whoever is slow works alone.
    world = World(oauth=oauth, workers=1 if kind == "slow" else WORKERS)
    world.tenant.add(*held_mails(MAILS, START - timedelta(minutes=10), attachments=[attachment()]))
    expected = sorted(row.tracking_id for row in world.tenant.rows())
    world.tenant.fault(Fault(kind, path=path, times=times, seconds=SLOW_S))
    for _ in range(CYCLES):
        result = world.cycle()
        assert result.packages == 1
        assert result.seconds < 180
        world.time.sleep(60)
    for_ever = times is None
    if for_ever and (path in NEEDED or (path, kind) == (DETAILS, "429")):
        assert world.tickets() == []
        world.tenant.faults.clear()
        world.cycle()
    assert sorted(world.tickets()) == expected
    events = [alert["events"][0] for alert in world.memory.alerts]
    without_details = for_ever and path == DETAILS and kind != "429"
    assert all(event["details_unavailable"] is without_details for event in events)
    without_files = for_ever and path in (HOLD, FILES, FILE, DOWNLOAD)
    if not without_details:
        assert all(bool(alert["attachments"]) is not without_files for alert in world.memory.alerts)
    assert all(bool(event["held_id"]) is not (for_ever and path == HOLD) for event in events)
    if without_files and path != HOLD:
        assert all("not available" in event["attachments_unavailable"] for event in events)
    assert not world.tenant.leaked_credentials
