"""A sample of the fault matrix with real processes and real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devkit.laptop import Laptop, embedded_configuration
from devkit.mimecast.faults import Fault
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from tests.connector.mails import attachment, held_mails
from tests.connector.test_connector import DETAILS, FILE, FILES, HOLD, SEARCH
from tests.connector.test_fault_matrix import DOWNLOAD, TOKEN

SAMPLE = [
    ("429", SEARCH),
    ("500", DETAILS),
    ("503", HOLD),
    ("reset", DETAILS),
    ("close", SEARCH),
    ("torn", FILES),
    ("cut", DOWNLOAD),
    ("html", TOKEN),
    ("empty", FILE),
    ("slow", DETAILS),
]


@pytest.mark.parametrize(("kind", "path"), SAMPLE)
def test_each_message_is_an_alert_exactly_once_over_http(kind: Any, path: str) -> None:
    tenant = Tenant()
    now = datetime.now(UTC)
    tenant.add(*held_mails(5, now - timedelta(minutes=10), attachments=[attachment()]))
    tenant.fault(Fault(kind, path=path, times=1, reset_ms=50, seconds=0.2))
    with MimecastServer(tenant) as server:
        configuration = embedded_configuration(server.url, tenant.credentials, oauth=True)
        with Laptop(configuration) as laptop:
            runs = [laptop.connector({"Domains": "corp.example"}) for _ in range(2)]
    assert all(run.envelope is not None and run.exit_code == 0 for run in runs)
    alerts = [alert for run in runs for alert in run.alerts]
    assert sorted(alert["ticket_id"] for alert in alerts) == sorted(row.tracking_id for row in tenant.rows())
    assert all(alert["attachments"] for alert in alerts)
    assert tenant.faults.happened() == 1
    assert not tenant.leaked_credentials
