"""Each action once for good and once for bad, as the platform runs it: a process, HTTP, the SDK that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devkit.mimecast.mail import Mail
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.platform.results import ActionRun
from devkit.platform.runner import Platform

from .support import COMPLETED, FAILED, PACKAGE, ROOT, configuration_of

EVE = {"Sender": "eve@sender.example", "Recipient": "ann@corp.example"}
POLICY = {"Description": "Stop Eve", "Sender": "sender.example", "Recipient": "corp.example"}
QUERY = '<xmlquery trace="iql,muse"><metadata query-type="emailarchive"/><muse/></xmlquery>'
WITH_JSON_RESULT = {"simple_archive_search", "advanced_archive_search", "create_block_sender_policy"}
RUNS: dict[str, tuple[dict[str, str], str, dict[str, str], str]] = {
    "ping": ({}, "Successfully connected to the Mimecast server", {}, ""),
    "simple_archive_search": (
        {"From": "eve@sender.example"},
        "Successfully found archive emails for the provided criteria in Mimecast.",
        {"Max Emails To Return": "0"},
        '"0" is not a whole number from 1 up.',
    ),
    "advanced_archive_search": (
        {"XML Query": QUERY},
        "Successfully found archive emails for the provided criteria in Mimecast.",
        {"XML Query": "<xmlquery/>"},
        "xmlquery with metadata and muse is required",
    ),
    "release_message": (
        {"Message ID": "TRACKING"},
        'Successfully released message with ID "TRACKING" in Mimecast.',
        {"Message ID": "unknown"},
        "Mimecast says: 0007 Invalid token",
    ),
    "reject_message": (
        {"Message ID": "OTHER HELD"},
        'Successfully rejected message with ID "OTHER HELD" in Mimecast.',
        {"Message ID": "ARCHIVED"},
        'its status in Mimecast is "archived". Only messages on hold can be rejected.',
    ),
    "report_message": (
        {"Message ID": "ARCHIVED"},
        'Successfully reported the following messages in Mimecast: "ARCHIVED".',
        {"Message ID": "[Event.id]"},
        "a playbook placeholder that was not filled.",
    ),
    "block_sender": (
        EVE,
        "Successfully blocked sender eve@sender.example for recipient ann@corp.example in Mimecast.",
        EVE | {"Sender": "eve"},
        '"eve" is no e-mail address.',
    ),
    "permit_sender": (
        EVE,
        "Successfully permitted sender eve@sender.example for recipient ann@corp.example in Mimecast.",
        {"Sender": "eve@sender.example"},
        'Parameter "Recipient": a value is needed.',
    ),
    "create_block_sender_policy": (
        POLICY,
        "Successfully created a block sender policy in Mimecast.",
        POLICY | {"End Time": "2020-01-01T00:00:00Z", "Start Time": "2021-01-01T00:00:00Z"},
        '"End Time" must be after "Start Time".',
    ),
}


class Bench:
    """The local platform, a tenant over HTTP, and some mails."""

    def __init__(self, platform: Platform, server: MimecastServer) -> None:
        self._platform = platform
        self.tenant = server.tenant
        received = datetime.now(UTC) - timedelta(minutes=5)
        mails = [
            Mail(f"<{number}@x>", "eve@sender.example", ["ann@corp.example"], received, f"Mail {number}", status=status)
            for number, status in enumerate(["held", "held", "archived"])
        ]
        rows = self.tenant.add(*mails)
        self.ids = {
            "TRACKING": rows[0].tracking_id,
            "OTHER HELD": rows[1].held_id,
            "ARCHIVED": rows[2].tracking_id,
        }
        self.configuration = configuration_of(self.tenant, oauth=False, api_root=server.url)

    def run(self, stem: str, given: dict[str, str], *, secret_key: str | None = None) -> ActionRun:
        definition = PACKAGE.actions[stem]
        assert definition.script is not None
        changed = {} if secret_key is None else {"Secret Key": secret_key}
        return self._platform.run_action(
            definition.script,
            definition.fill({name: self.ids.get(value, value) for name, value in given.items()}),
            action_name=definition.name,
            integration_configuration=self.configuration | changed,
        )

    def named(self, text: str) -> str:
        for name, value in self.ids.items():
            text = text.replace(value, name)
        return text


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Platform(ROOT) as platform, MimecastServer(Tenant()) as server:
        yield Bench(platform, server)


@pytest.mark.parametrize("stem", RUNS)
def test_a_good_run_ends_completed_with_its_message(bench: Bench, stem: str) -> None:
    given, message, _, _ = RUNS[stem]
    run = bench.run(stem, given)
    assert run.reason == "", run.stderr
    assert bench.named(run.message).startswith(message), run.debug_output
    assert (run.exit_code, run.execution_state, run.result_value) == (0, COMPLETED, True)
    assert (run.json_result is not None) == (stem in WITH_JSON_RESULT)
    assert list(run.tables) == (["Results"] if stem.endswith("archive_search") else [])


@pytest.mark.parametrize("stem", RUNS)
def test_a_bad_run_ends_failed_with_its_reason(bench: Bench, stem: str) -> None:
    _, _, given, reason = RUNS[stem]
    run = bench.run(stem, given, secret_key="not base64!" if stem == "ping" else None)
    assert run.reason == "", run.stderr
    if stem == "ping":
        assert run.message.startswith("Failed to connect to the Mimecast server! Error is The value of")
    else:
        assert run.message.startswith(f'Error executing action "{PACKAGE.actions[stem].name}". Reason: ')
    assert run.message.endswith(reason)
    assert (run.exit_code, run.execution_state, run.result_value) == (0, FAILED, False)


def test_every_action_is_among_them() -> None:
    assert set(RUNS) == set(PACKAGE.actions)
