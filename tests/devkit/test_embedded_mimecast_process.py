from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from mimecast_client import ACCOUNT, HOLD_LIST, RELEASE, URL, a_tenant

from devkit.mimecast.app import create_app
from devkit.mimecast.control import add_control
from devkit.mimecast.wsgi import call_app

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    credentials: dict[str, str]

    def control(self, name: str, **body: Any) -> Any:
        response = requests.post(f"{self.url}/_control/{name}", json=body, timeout=PATIENCE_S)
        return response.json() | {"http": response.status_code}

    def state(self) -> Any:
        return requests.get(f"{self.url}/_control/state", timeout=PATIENCE_S).json()

    def call(self, path: str, *items: Any, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return requests.post(self.url + path, json={"data": items}, headers=headers, timeout=PATIENCE_S)

    def token(self) -> str:
        known = self.credentials
        form = {
            "grant_type": "client_credentials",
            "client_id": known["client_id"],
            "client_secret": known["client_secret"],
        }
        return str(requests.post(f"{self.url}/oauth/token", data=form, timeout=PATIENCE_S).json()["access_token"])


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "devkit.mimecast", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        ready = json.loads(process.stdout.readline())
        yield Running(process, ready["url"], ready["credentials"])
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        process.stdin.close()
        process.stdout.close()


@pytest.fixture(scope="module")
def mimecast() -> Iterator[Running]:
    with running("--seed", "5", "--mails", "40", "--domains", "a.example, b.example") as one:
        yield one


def test_it_says_where_it_is_and_how_to_get_in(mimecast: Running) -> None:
    assert mimecast.url.startswith("http://127.0.0.1:")
    assert set(mimecast.credentials) == {
        "application_id",
        "application_key",
        "access_key",
        "secret_key",
        "client_id",
        "client_secret",
    }
    assert mimecast.call(ACCOUNT).json()["data"][0]["accountName"]


def test_it_counts_requests_but_not_those_that_control_it(mimecast: Running) -> None:
    assert mimecast.control("reset-counts") == {"requests": 0, "http": 200}
    mimecast.call(ACCOUNT)
    state = mimecast.state()
    assert state["by_path"] == {"/oauth/token": 1, ACCOUNT: 1}
    assert (state["requests"], state["max_in_flight"], state["mails"]) == (2, 1, 40)


def test_its_rows_are_listed(mimecast: Running) -> None:
    rows = requests.get(f"{mimecast.url}/_control/rows", timeout=PATIENCE_S).json()
    assert len(rows) >= 40
    assert {"tracking_id", "held_id", "message_id", "sender", "recipient", "subject", "status"} <= set(rows[0])


def test_mail_is_added_and_can_be_released(mimecast: Running) -> None:
    added = mimecast.control("mail", seed=9, count=3, kind="held", minutes_ago=5, attachment_bytes=100)
    assert added == {"mails": 3, "rows": 3, "http": 200}
    held = mimecast.call(HOLD_LIST, {"admin": True}).json()["data"][0]["id"]
    assert mimecast.call(RELEASE, {"id": held}).json()["data"] == [{"id": held, "release": True}]
    assert mimecast.state()["released"] == [held]
    frame = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00+01:00"}
    assert mimecast.control("mail", seed=10, count=4, domains=["c.example"], late_share=0.5, **frame)["mails"] == 4


def test_faults_are_asked_for_and_replaced(mimecast: Running) -> None:
    token = mimecast.token()
    mimecast.control("faults", faults=[{"kind": "429", "path": ACCOUNT, "times": None, "reset_ms": 5}])
    assert mimecast.call(ACCOUNT, token=token).headers["X-RateLimit-Reset"] == "5"
    assert mimecast.state()["faults_happened"] == 1
    mimecast.control("faults", faults=[])
    assert mimecast.call(ACCOUNT, token=token).status_code == 200


def test_settings_are_changed(mimecast: Running) -> None:
    token = mimecast.token()
    mimecast.control("settings", requests_per_second=1, permissions=[], clock_ahead_s=10)
    assert [mimecast.call(ACCOUNT, token=token).status_code for _ in range(2)] == [403, 429]
    mimecast.control("settings", requests_per_second=None, permissions=["Account | Dashboard | Read"])
    assert mimecast.call(ACCOUNT, token=token).status_code == 200
    mimecast.control("settings", clock_ahead_s=1900)
    assert mimecast.call(ACCOUNT, token=token).status_code == 401
    mimecast.control("settings", clock_ahead_s=0, archive_enabled=False, search_cap=None)
    token = mimecast.token()
    assert mimecast.call(ACCOUNT, token=token).json()["data"][0]["archive"] is False
    mimecast.control("revoke-tokens")
    assert mimecast.call(ACCOUNT, token=token).status_code == 401


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("settings", {"no_such": 1}),
        ("settings", {"search_cap": "100"}),
        ("settings", {"requests_per_second": -1}),
        ("mail", {"kind": "lost"}),
        ("mail", {"number": 5}),
        ("mail", {"start": "2026-01-01T00:00:00"}),
        ("mail", {"count": "many"}),
        ("faults", {"faults": [{"kind": "404"}]}),
        ("faults", {"faults": [{"knd": "500"}]}),
    ],
)
def test_control_says_what_it_did_not_understand(mimecast: Running, name: str, body: dict[str, Any]) -> None:
    answer = mimecast.control(name, **body)
    assert answer["http"] == 400
    assert answer["error"]


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_control_takes_json_objects(mimecast: Running, body: bytes) -> None:
    response = requests.post(f"{mimecast.url}/_control/mail", data=body, timeout=PATIENCE_S)
    assert (response.status_code, response.json()["error"]) == (400, "the body must be a JSON object")


def test_control_is_for_this_machine_only() -> None:
    tenant = a_tenant()
    app = create_app(tenant)
    add_control(app, tenant)
    for address, status in (("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403)):
        answer = call_app(app, "GET", f"{URL}/_control/state", [], b"", {"REMOTE_ADDR": address})
        assert answer.status == status
    assert tenant.count() == 0


def test_without_control_its_paths_are_as_unknown_as_any() -> None:
    assert call_app(create_app(a_tenant()), "GET", f"{URL}/_control/state", [], b"").status == 400


def test_it_ends_when_its_input_is_closed() -> None:
    with running() as one:
        assert one.process.stdin
        one.process.stdin.close()
        assert one.process.wait(PATIENCE_S) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to be handled")
def test_it_ends_on_sigterm() -> None:
    with running("--rate", "50", "--latency-ms", "1") as one:
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(PATIENCE_S) == 0


def test_a_bad_command_line_is_refused() -> None:
    command = [sys.executable, "-m", "devkit.mimecast", "--rate", "-1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 2
    assert "--rate: a rate limit is a positive number" in done.stderr
    assert "Traceback" not in done.stderr
