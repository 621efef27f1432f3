"""Writes are done at most once: what may have been executed is never sent again, and the message says how to check."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from devkit.mimecast.faults import FAULT_KINDS, Fault
from devkit.platform.results import ActionRun

from .support import COMPLETED, FAILED, MANAGED, POLICY, REJECT, RELEASE, REPORT, SANDBOX, TOKEN, Desk, held_mail

EVE, ANN = "eve@sender.example", "ann@corp.example"
WRITES: dict[str, tuple[str, str, dict[str, str]]] = {
    "release": ("release_message", RELEASE, {"Message ID": "HELD"}),
    "reject": ("reject_message", REJECT, {"Message ID": "HELD"}),
    "sandbox": ("release_message", SANDBOX, {"Message ID": "TRACKING", "Release To Sandbox": "true"}),
    "report": ("report_message", REPORT, {"Message ID": "TRACKING"}),
    "block": ("block_sender", MANAGED, {"Sender": EVE, "Recipient": ANN}),
    "permit": ("permit_sender", MANAGED, {"Sender": EVE, "Recipient": ANN}),
    "policy": (
        "create_block_sender_policy",
        POLICY,
        {"Description": "d", "Sender": "a.example", "Recipient": "b.example"},
    ),
}
UNKNOWN = [kind for kind in FAULT_KINDS if kind != "429"]
NOT_AGAIN = "The request may have been carried out all the same, so it is not sent again."


def done(desk: Desk) -> int:
    """How many changes the tenant saw."""
    tenant = desk.tenant
    held = len(tenant.released) + len(tenant.rejected) + len(tenant.sandboxed)
    return held + len(tenant.reported) + len(tenant.managed_senders) + len(tenant.policies)


def write(desk: Desk, name: str) -> ActionRun:
    stem, _, parameters = WRITES[name]
    ids = {"HELD": desk.rows[0].held_id, "TRACKING": desk.rows[0].tracking_id}
    return desk.run(stem, {key: ids.get(value, value) for key, value in parameters.items()})


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("executed", [True, False])
def test_a_write_whose_outcome_is_unknown_is_sent_once_and_says_so(name: str, kind: Any, executed: bool) -> None:
    desk = Desk(held_mail())
    path = WRITES[name][1]
    desk.tenant.fault(Fault(kind, path=path, executed=executed, times=None, seconds=300))
    run = write(desk, name)
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert desk.calls == [path]
    assert done(desk) == int(executed or kind == "slow")
    assert NOT_AGAIN in run.message
    assert "To check: " in run.message
    assert "Mimecast's Administration Console" in run.message
    assert run.json_result is None


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_was_refused_for_the_quota_is_sent_again_after_the_pause(name: str) -> None:
    desk = Desk(held_mail())
    path = WRITES[name][1]
    desk.tenant.fault(Fault("429", path=path, times=3, reset_ms=7000))
    run = write(desk, name)
    assert run.execution_state == COMPLETED, run.message
    assert desk.calls == [path] * 4
    assert done(desk) == 1
    assert desk.time.slept_s == pytest.approx(21)


@pytest.mark.parametrize("name", WRITES)
def test_a_quota_that_comes_back_too_late_ends_the_action_with_nothing_done(name: str) -> None:
    desk = Desk(held_mail())
    desk.tenant.fault(Fault("429", times=None, reset_ms=3_600_000))
    run = write(desk, name)
    assert run.execution_state == FAILED
    assert "Mimecast's request quota is used up; it asks to wait 3600 s" in run.message
    assert (done(desk), desk.time.slept_s) == (0, 0)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_surely_never_arrived_is_tried_again(name: str) -> None:
    desk = Desk(held_mail())
    path = WRITES[name][1]
    refused = requests.exceptions.ConnectionError(
        MaxRetryError(
            HTTPSConnectionPool("mimecast.test"),
            path,
            NewConnectionError(None, "refused"),  # type: ignore[arg-type]
        )
    )
    desk.canned[path] = lambda _: refused if desk.calls.count(path) < 3 else None
    run = write(desk, name)
    assert run.execution_state == COMPLETED, run.message
    assert desk.calls == [path] * 3
    assert done(desk) == 1


@pytest.mark.parametrize("name", ["release", "reject", "block", "permit", "policy"])
def test_a_write_that_was_refused_for_its_token_is_sent_again_with_a_new_one(name: str) -> None:
    desk = Desk(held_mail(), oauth=True)
    path = WRITES[name][1]
    expired = (401, {"meta": {"status": 401}, "data": [], "fail": [{"code": "token_expired", "message": "Expired"}]})
    desk.canned[path] = lambda _: expired if desk.calls.count(path) < 2 else None
    run = write(desk, name)
    assert run.execution_state == COMPLETED, run.message
    assert desk.calls == [TOKEN, path, TOKEN, path]
    assert done(desk) == 1


@pytest.mark.parametrize("name", ["release", "policy"])
def test_a_write_that_was_not_sent_for_want_of_a_token_is_not_called_unknown(name: str) -> None:
    desk = Desk(held_mail(), oauth=True)
    desk.tenant.fault(Fault("503", path=TOKEN, times=None))
    run = write(desk, name)
    assert run.execution_state == FAILED
    assert run.message.endswith("Reason: Mimecast answered with HTTP 503.")
    assert set(desk.calls) == {TOKEN}


def test_an_unknown_outcome_of_a_tracking_id_ends_there() -> None:
    desk = Desk(held_mail())
    row = desk.rows[0]
    desk.tenant.fault(Fault("503", path=RELEASE, executed=True, after=1, times=None))
    run = desk.run("release_message", {"Message ID": row.tracking_id})
    assert NOT_AGAIN in run.message
    assert desk.calls.count(RELEASE) == 2  # the refused one, and the one for the held ID
    assert desk.tenant.released == [row.held_id]
