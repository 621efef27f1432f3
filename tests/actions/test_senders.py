"""Block and permit senders, and policies: what is sent, and answers that disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.mimecast.tenant import ManagedSender

from .support import COMPLETED, FAILED, MANAGED, POLICY, Desk, good

SAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "api-samples.json").read_text(encoding="utf-8")
)
EVE, ANN = "eve@sender.example", "ann@corp.example"


@pytest.mark.parametrize(
    ("stem", "action", "done"), [("block_sender", "block", "blocked"), ("permit_sender", "permit", "permitted")]
)
@pytest.mark.parametrize("sender", [EVE, f"  {EVE}\n", f"Adams, Eve <{EVE}>", f'"Eve" < {EVE} >', f"<{EVE}>"])
def test_a_sender_is_managed_for_one_recipient(stem: str, action: str, done: str, sender: str) -> None:
    desk = Desk()
    run = desk.run(stem, {"Sender": sender, "Recipient": ANN})
    assert run.message == f"Successfully {done} sender {EVE} for recipient {ANN} in Mimecast."
    assert (run.execution_state, run.result_value, run.json_result) == (COMPLETED, True, None)
    assert desk.calls == [MANAGED]
    assert desk.bodies == [{"data": [{"sender": EVE, "to": ANN, "action": action}]}]
    assert desk.tenant.managed_senders == [ManagedSender(EVE, ANN, action)]


def test_mimecast_may_write_addresses_in_another_case() -> None:
    desk = Desk()
    desk.canned[MANAGED] = good({"id": "MTOKEN:1", "sender": EVE.upper(), "to": ANN.title(), "type": "Block"})
    assert desk.run("block_sender", {"Sender": EVE, "Recipient": ANN}).execution_state == COMPLETED


AGREES = {"id": "MTOKEN:1", "sender": EVE, "to": ANN, "type": "Block"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [AGREES | {"type": "Permit"}],
        [AGREES | {"sender": "bob@sender.example"}],
        [AGREES | {"to": "ben@corp.example"}],
        [AGREES | {"type": None}],
        [{"id": "MTOKEN:1"}],
        [AGREES, AGREES | {"type": "Permit"}],
    ],
)
def test_an_answer_that_disagrees_with_what_was_asked_is_a_failure(rows: list[Any]) -> None:
    desk = Desk()
    desk.canned[MANAGED] = good(*rows)
    run = desk.run("block_sender", {"Sender": EVE, "Recipient": ANN})
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert run.message == (
        "Error executing action \"Block Sender\". Reason: Mimecast's answer doesn't confirm what was asked for. "
        'To check: look for the entry in Mimecast\'s Administration Console, under "Managed Senders".'
    )


# --- policies --------------------------------------------------------------------------------------------------------

MINIMAL = {"Description": "Stop Eve", "Sender": "sender.example", "Recipient": "corp.example"}


def policy(desk: Desk) -> dict[str, Any]:
    """The policy of the only request."""
    assert desk.calls == [POLICY]
    (item,) = desk.bodies[0]["data"]
    sent: dict[str, Any] = item["policy"]
    return sent


def test_the_forms_defaults_make_this_policy() -> None:
    desk = Desk()
    run = desk.run("create_block_sender_policy", MINIMAL)
    assert (run.execution_state, run.result_value) == (COMPLETED, True)
    assert run.message == "Successfully created a block sender policy in Mimecast."
    assert desk.bodies == [
        {
            "data": [
                {
                    "option": "block_sender",
                    "policy": {
                        "description": "Stop Eve",
                        "fromPart": "both",
                        "from": {"type": "email_domain", "emailDomain": "sender.example"},
                        "to": {"type": "email_domain", "emailDomain": "corp.example"},
                        "bidirectional": True,
                        "enabled": True,
                        "enforced": True,
                        "fromEternal": True,
                        "toEternal": True,
                    },
                }
            ]
        }
    ]


def test_the_result_is_mimecasts_own_row_in_the_shape_of_the_reference() -> None:
    desk = Desk()
    run = desk.run("create_block_sender_policy", MINIMAL | {"Comment": "Case 7"})
    assert run.json_result == desk.tenant.policies[0]
    assert set(run.json_result) == {"option", "id", "policy"}
    example = json.loads(
        (Path(__file__).parents[2] / "resources" / "create_block_sender_policy_JsonResult_example.json").read_text(
            encoding="utf-8"
        )
    )
    assert set(example["policy"]) <= set(run.json_result["policy"])


@pytest.mark.parametrize("name", ["Bidirectional", "Enforced"])
@pytest.mark.parametrize(("value", "sent"), [("true", True), ("False", False), ("", True), (" TRUE ", True)])
def test_booleans_are_json_booleans(name: str, value: str, sent: bool) -> None:
    desk = Desk()
    run = desk.run("create_block_sender_policy", MINIMAL | {name: value})
    assert run.execution_state == COMPLETED, run.message
    assert policy(desk)[name.lower()] is sent


@pytest.mark.parametrize(("word", "sent"), [("Block Sender", "block_sender"), ("No Action", "no_action")])
def test_each_response_is_sent_as_its_option(word: str, sent: str) -> None:
    desk = Desk()
    desk.run("create_block_sender_policy", MINIMAL | {"Response": word})
    assert desk.bodies[0]["data"][0]["option"] == sent


@pytest.mark.parametrize(
    ("word", "sent"), [("Both", "both"), ("From Envelope", "envelope_from"), ("From Headers", "header_from")]
)
def test_each_place_of_the_sender_is_sent_as_its_part(word: str, sent: str) -> None:
    desk = Desk()
    desk.run("create_block_sender_policy", MINIMAL | {"Extracted Data": word})
    assert policy(desk)["fromPart"] == sent


@pytest.mark.parametrize(("side", "name"), [("from", "Sender"), ("to", "Recipient")])
@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("Everyone", "ignored", {"type": "everyone"}),
        ("Internal Addresses", "ignored [too]", {"type": "internal_addresses"}),
        ("External Addresses", "", {"type": "external_addresses"}),
        ("Email Domain", "@other.example", {"type": "email_domain", "emailDomain": "other.example"}),
        (
            "Email Address",
            "Bob <bob@other.example>",
            {"type": "individual_email_address", "emailAddress": "bob@other.example"},
        ),
        ("Header Display Name", " The  CEO ", {"type": "header_display_name", "headerDisplayName": "The CEO"}),
    ],
)
def test_each_type_of_sender_and_recipient_is_sent_with_its_value_and_reported_back(
    side: str, name: str, kind: str, value: str, sent: dict[str, str]
) -> None:
    desk = Desk()
    run = desk.run("create_block_sender_policy", MINIMAL | {name: value, f"{name} Type": kind})
    assert run.execution_state == COMPLETED, run.message
    assert policy(desk)[side] == sent
    assert run.json_result["policy"][side] == sent


def test_times_are_sent_in_utc_and_end_the_eternity() -> None:
    desk = Desk()
    times = {"Start Time": "2026-03-12T09:00:00+09:00", "End Time": "2026-04-01T00:00"}
    run = desk.run("create_block_sender_policy", MINIMAL | times)
    assert run.execution_state == COMPLETED, run.message
    sent = policy(desk)
    assert (sent["fromDate"], sent["fromEternal"]) == ("2026-03-12T00:00:00+0000", False)
    assert (sent["toDate"], sent["toEternal"]) == ("2026-04-01T00:00:00+0000", False)


def test_everyone_to_everyone_is_fine_where_it_stops_nothing() -> None:
    everyone = {"Sender Type": "Everyone", "Recipient Type": "Everyone"}
    desk = Desk()
    run = desk.run("create_block_sender_policy", {"Description": "d", "Response": "No Action"} | everyone)
    assert run.execution_state == COMPLETED, run.message


def test_the_refusal_of_a_policy_is_passed_on_word_for_word() -> None:
    desk = Desk()
    desk.canned[POLICY] = SAMPLES["block_sender_policy_error"]
    run = desk.run("create_block_sender_policy", MINIMAL)
    assert run.message == 'Error executing action "Create Block Sender Policy". Reason: Invalid fromValue'


def test_a_refusal_in_meta_alone_is_a_failure() -> None:
    desk = Desk()
    desk.canned[POLICY] = SAMPLES["create_block_sender_policy_failure"]
    run = desk.run("create_block_sender_policy", MINIMAL)
    assert run.execution_state == FAILED
    assert "Bad Request" in run.message


def test_the_recorded_success_is_a_success() -> None:
    desk = Desk()
    desk.canned[POLICY] = SAMPLES["create_block_sender_policy_success"]
    run = desk.run(
        "create_block_sender_policy",
        {
            "Description": "Test Policy",
            "Sender": "test@example.com",
            "Sender Type": "Email Address",
            "Recipient": "recipient@example.com",
            "Recipient Type": "Email Address",
        },
    )
    assert run.execution_state == COMPLETED, run.message
    assert run.json_result == SAMPLES["create_block_sender_policy_success"]["data"][0]


def created(**changes: Any) -> dict[str, Any]:
    made = {
        "from": {"type": "email_domain", "emailDomain": "sender.example"},
        "to": {"type": "email_domain", "emailDomain": "corp.example"},
    }
    return {"option": "block_sender", "id": "eN1", "policy": made} | changes


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [created(option="no_action")],
        [created(id="")],
        [created(policy=None)],
        [created(policy={"from": {"type": "everyone"}, "to": {"type": "everyone"}})],
        [created(policy={"from": {"type": "email_domain", "emailDomain": "sender.example"}})],
        [created(), created()],
    ],
)
def test_an_answer_with_another_policy_is_a_failure_that_warns_of_a_second_one(rows: list[Any]) -> None:
    desk = Desk()
    desk.canned[POLICY] = good(*rows)
    run = desk.run("create_block_sender_policy", MINIMAL)
    assert run.execution_state == FAILED
    assert "Mimecast's answer doesn't confirm what was asked for." in run.message
    assert "Mimecast would make a second one" in run.message
    assert run.json_result is None


def test_a_row_that_agrees_is_a_success() -> None:
    desk = Desk()
    desk.canned[POLICY] = good(created())
    assert desk.run("create_block_sender_policy", MINIMAL).execution_state == COMPLETED
