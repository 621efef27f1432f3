"""Release and reject by either ID, release to the sandbox, report: what is sent, when nothing is changed, and why."""

from __future__ import annotations

from typing import Any

import pytest

from devkit.mimecast.mail import Odd
from devkit.mimecast.tenant import READ_TRACKING, Rejection, Report

from .support import (
    COMPLETED,
    FAILED,
    HOLD_LIST,
    INFO,
    NOW,
    REJECT,
    RELEASE,
    REPORT,
    SANDBOX,
    TOKEN,
    TRACKING,
    Desk,
    function_error,
    good,
    held_mail,
    minutes,
)

BY_TRACKING_ID = [INFO, TRACKING, HOLD_LIST]


def failure(action: str, reason: str) -> str:
    return f'Error executing action "{action}". Reason: {reason}'


# --- release and reject by held ID -----------------------------------------------------------------------------------


def test_a_held_id_is_released_with_one_request() -> None:
    desk = Desk(held_mail())
    held_id = desk.rows[0].held_id
    run = desk.run("release_message", {"Message ID": f"  {held_id} "})
    assert (run.execution_state, run.result_value) == (COMPLETED, True)
    assert run.message == f'Successfully released message with ID "{held_id}" in Mimecast.'
    assert desk.calls == [RELEASE]
    assert desk.bodies == [{"data": [{"id": held_id}]}]
    assert desk.tenant.released == [held_id]
    assert run.json_result is None
    assert run.tables == {}


def test_a_held_id_is_rejected_with_one_request_and_the_documented_fields() -> None:
    desk = Desk(held_mail())
    held_id = desk.rows[0].held_id
    parameters = {"Message ID": held_id, "Note": "Fraud, see case 7", "Reason": "Against Email Policy"}
    run = desk.run("reject_message", parameters | {"Notify Sender": "true"})
    assert run.message == f'Successfully rejected message with ID "{held_id}" in Mimecast.'
    assert desk.calls == [REJECT]
    reason = "MESSAGE GOES AGAINST EMAIL POLICIES"
    assert desk.bodies == [
        {"data": [{"ids": [held_id], "message": "Fraud, see case 7", "reasonType": reason, "notify": True}]}
    ]
    assert desk.tenant.rejected == [Rejection(held_id, "Fraud, see case 7", reason, notify=True)]


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("Inappropriate Communication", "INAPPROPRIATE COMMUNICATION"),
        ("Confidential Information", "MESSAGE CONTAINS CONFIDENTIAL INFORMATION"),
        ("Against Email Policy", "MESSAGE GOES AGAINST EMAIL POLICIES"),
        ("Restricted Content", "REVIEWER DISAPPROVES OF CONTENT"),
        ("Select One", None),
        ("", None),
    ],
)
def test_each_reason_is_one_of_mimecasts_and_select_one_sends_none(reason: str, sent: str | None) -> None:
    desk = Desk(held_mail())
    run = desk.run("reject_message", {"Message ID": desk.rows[0].held_id, "Reason": reason})
    assert run.execution_state == COMPLETED
    assert desk.bodies[0]["data"][0].get("reasonType") == sent
    assert desk.tenant.rejected == [Rejection(desk.rows[0].held_id, None, sent, notify=False)]


@pytest.mark.parametrize("stem", ["release_message", "reject_message"])
def test_a_held_id_that_is_no_longer_on_hold_is_said_so(stem: str) -> None:
    desk = Desk(held_mail())
    held_id = desk.rows[0].held_id
    desk.run("release_message", {"Message ID": held_id})
    run = desk.run(stem, {"Message ID": held_id})
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert f'The message with held ID "{held_id}" is no longer on hold' in run.message
    assert desk.tenant.released == [held_id]
    assert desk.tenant.rejected == []


# --- release and reject by tracking ID -------------------------------------------------------------------------------


@pytest.mark.parametrize(("stem", "path"), [("release_message", RELEASE), ("reject_message", REJECT)])
@pytest.mark.parametrize("oauth", [False, True])
def test_a_tracking_id_is_looked_up_by_this_exact_list_of_calls(stem: str, path: str, oauth: bool) -> None:
    desk = Desk(held_mail(1), held_mail(2), held_mail(3, recipients=["ben@corp.example"]), oauth=oauth)
    wanted = desk.rows[1]
    run = desk.run(stem, {"Message ID": wanted.tracking_id})
    assert run.execution_state == COMPLETED, run.message
    assert f'message with ID "{wanted.tracking_id}" in Mimecast.' in run.message
    assert desk.calls == [TOKEN] * oauth + [path, *BY_TRACKING_ID, path]
    done = desk.tenant.released + [rejection.held_id for rejection in desk.tenant.rejected]
    assert done == [wanted.held_id]


def test_the_lookup_asks_for_the_row_around_its_time_and_for_the_recipients_queue_as_administrator() -> None:
    desk = Desk(held_mail())
    desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert desk.sent(INFO) == [{"data": [{"id": desk.rows[0].tracking_id}]}]
    assert desk.sent(TRACKING)[0]["data"] == [
        {
            "start": "2026-03-11T10:50:00+0000",
            "end": "2026-03-11T12:50:00+0000",
            "advancedTrackAndTraceOptions": {"to": "ann@corp.example"},
        }
    ]
    assert desk.sent(HOLD_LIST)[0]["data"] == [
        {
            "admin": True,
            "start": "2026-03-11T11:49:00+0000",
            "end": "2026-03-11T11:51:00+0000",
            "searchBy": {"fieldName": "recipient", "value": "ann@corp.example"},
        }
    ]


def test_where_mimecast_takes_a_tracking_id_itself_one_request_is_enough() -> None:
    desk = Desk(held_mail(), release_accepts_tracking_id=True)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED
    assert desk.calls == [RELEASE]


@pytest.mark.parametrize("envelope", ["<>", None, "bounce-4711@lists.example"])
def test_a_message_with_another_or_no_envelope_sender_is_found(envelope: str | None) -> None:
    desk = Desk(held_mail(envelope=envelope))
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message


def test_further_addresses_are_tried_if_tracking_does_not_find_the_message_by_the_first() -> None:
    desk = Desk(held_mail(envelope="bounce@lists.example"))
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(desk.bodies[-1]["data"][0]["advancedTrackAndTraceOptions"])
        return good({"trackedEmails": []}) if len(asked) < 3 else None

    desk.canned[TRACKING] = answer
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message
    assert asked == [
        {"to": "ann@corp.example"},
        {"from": "bounce@lists.example"},
        {"from": "eve@sender.example"},
    ]


def test_a_recipient_whom_the_details_do_not_name_is_taken_from_tracking_with_the_neighbours() -> None:
    details = {"recipientInfo": {"messageInfo": {"to": ["list@corp.example"]}, "txInfo": {"to": None}}}
    desk = Desk(held_mail(odd=Odd(details=details)))
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message
    asked = [body["data"][0]["advancedTrackAndTraceOptions"] for body in desk.sent(TRACKING)]
    assert asked == [{"to": "list@corp.example"}, {"from": "eve@sender.example"}, {"to": "ann@corp.example"}]
    assert desk.tenant.released == [desk.rows[0].held_id]


@pytest.mark.parametrize("stem", ["release_message", "reject_message"])
@pytest.mark.parametrize("status", ["accepted", "rejected", "archived", "bounced"])
def test_a_tracked_message_that_is_not_on_hold_is_said_so_with_its_status(stem: str, status: str) -> None:
    desk = Desk(held_mail(status=status))
    run = desk.run(stem, {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == FAILED
    assert f'is not on hold; its status in Mimecast is "{status}"' in run.message
    assert desk.calls[1:] == [INFO]
    assert (desk.tenant.released, desk.tenant.rejected) == ([], [])


@pytest.mark.parametrize(
    ("mails", "why"),
    [
        ([held_mail(1, subject="Same"), held_mail(2, subject="Same")], "several messages match"),
        (
            [held_mail(1, subject="Same", odd=Odd(not_in_hold_queue=True)), held_mail(2, subject="Same")],
            "several messages match",
        ),
        (
            [
                held_mail(1, subject="Same", envelope="bounce-1@lists.example", odd=Odd(not_in_hold_queue=True)),
                held_mail(2, subject="Same", envelope="bounce-2@lists.example"),
            ],
            "several messages match",
        ),
        ([held_mail(1, odd=Odd(not_in_hold_queue=True))], "no message in the hold queue matches"),
        ([held_mail(1, odd=Odd(null_blocks=True))], "its details in Mimecast name no time"),
        ([held_mail(1, odd=Odd(no_to=True))], "message tracking names no recipient or no time of receipt"),
        ([held_mail(1, odd=Odd(tracked={"received": "soon"}))], "message tracking names no recipient or no time"),
        ([held_mail(1, odd=Odd(tracked={"subject": "Other"}))], "no message in the hold queue matches"),
    ],
)
def test_an_uncertain_match_changes_nothing_and_says_what_was_looked_for(mails: list[Any], why: str) -> None:
    desk = Desk(*mails)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == FAILED
    assert f'The message with tracking ID "{desk.rows[0].tracking_id}" was not released: {why}' in run.message
    assert "Nothing was changed. Give the held ID instead" in run.message
    assert desk.calls.count(RELEASE) == 1  # the first, which Mimecast refused
    assert desk.tenant.released == []


def test_what_was_looked_for_names_people_subject_and_time() -> None:
    desk = Desk(held_mail(1, odd=Odd(not_in_hold_queue=True)))
    run = desk.run("reject_message", {"Message ID": desk.rows[0].tracking_id})
    assert (
        "no message in the hold queue matches. Looked for in the hold queue: from eve@sender.example to "
        'ann@corp.example, subject "Mail 1", received 2026-03-11T11:49:00+0000 to 2026-03-11T11:51:00+0000. Nothing'
    ) in run.message


def test_a_message_that_tracking_does_not_list_is_left_alone() -> None:
    desk = Desk(held_mail())
    desk.canned[TRACKING] = good({"trackedEmails": []})
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == FAILED
    assert (
        "message tracking doesn't list it (to ann@corp.example, from eve@sender.example; "
        "around 2026-03-11T11:50:00+0000)"
    ) in run.message
    assert desk.tenant.released == []


def test_a_reply_that_may_be_cut_off_is_asked_for_again_more_closely() -> None:
    blast = [held_mail(number, received=NOW - minutes(50 - number / 4)) for number in range(120)]
    desk = Desk(*blast, search_cap=100)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message
    assert desk.calls == [RELEASE, INFO, TRACKING, TRACKING, TRACKING, HOLD_LIST, RELEASE]  # wide, close, neighbours
    assert desk.tenant.released == [desk.rows[0].held_id]


def test_a_list_that_may_lack_a_message_that_looks_alike_is_not_certain() -> None:
    desk = Desk(*(held_mail(number) for number in range(120)), search_cap=100)
    run = desk.run("release_message", {"Message ID": desk.rows[-1].tracking_id})
    assert run.execution_state == FAILED
    assert "message tracking lists too many messages to ann@corp.example around it" in run.message
    assert desk.tenant.released == []


# --- several recipients ----------------------------------------------------------------------------------------------


def tracked_for_all(desk: Desk) -> None:
    """Let tracking show one row for all recipients of the first mail, as it does for some messages."""
    mail, row = desk.rows[0].mail, desk.rows[0]
    desk.canned[TRACKING] = good(
        {
            "trackedEmails": [
                {
                    "id": row.tracking_id,
                    "status": "held",
                    "fromEnv": {"emailAddress": mail.sender},
                    "to": [{"emailAddress": address} for address in mail.recipients],
                    "received": "2026-03-11T11:50:00+0000",
                    "subject": mail.subject,
                }
            ]
        }
    )


TWO = ["ann@corp.example", "ben@corp.example"]


@pytest.mark.parametrize("stem", ["release_message", "reject_message"])
def test_a_message_to_several_is_done_for_all_of_them_at_once(stem: str) -> None:
    desk = Desk(held_mail(recipients=TWO))
    tracked_for_all(desk)
    run = desk.run(stem, {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message
    path = RELEASE if stem == "release_message" else REJECT
    assert desk.calls == [path, INFO, TRACKING, HOLD_LIST, TRACKING, HOLD_LIST, path]
    done = desk.tenant.released + [rejection.held_id for rejection in desk.tenant.rejected]
    assert done == [row.held_id for row in desk.rows]


def test_a_message_to_several_is_done_for_none_if_one_of_them_is_uncertain() -> None:
    desk = Desk(held_mail(recipients=TWO, status={TWO[0]: "held", TWO[1]: "accepted"}))
    tracked_for_all(desk)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == FAILED
    assert "to ben@corp.example" in run.message
    assert desk.tenant.released == []


@pytest.mark.parametrize("confirmed", [True, False])
def test_every_row_of_the_answer_is_checked(confirmed: bool) -> None:
    desk = Desk(held_mail(recipients=TWO))
    tracked_for_all(desk)
    second = [{"id": desk.rows[0].held_id, "release": True}, {"id": desk.rows[1].held_id, "release": confirmed}]
    desk.canned[RELEASE] = lambda _: good(*second) if desk.calls.count(RELEASE) == 2 else None
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.result_value is confirmed
    if not confirmed:
        assert "Mimecast released it for 1 of 2 recipients" in run.message


def test_a_refusal_of_several_says_that_some_may_have_been_done() -> None:
    desk = Desk(held_mail(recipients=TWO))
    tracked_for_all(desk)
    both = function_error("One is gone") | {"data": [{"id": desk.rows[0].held_id, "release": True}]}
    desk.canned[RELEASE] = lambda _: both if desk.calls.count(RELEASE) == 2 else None
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == FAILED
    assert "One is gone The order was for 2 recipients; it may have been carried out for some." in run.message
    assert "Message Center | Held Messages" in run.message


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", ["release_message", "reject_message"])
@pytest.mark.parametrize("message_id", ["unknown-id", "eNtruncated"])
def test_an_id_that_mimecast_does_not_know_is_said_so(stem: str, message_id: str) -> None:
    desk = Desk(held_mail())
    run = desk.run(stem, {"Message ID": message_id})
    says = "0007 Invalid token" if message_id == "unknown-id" else "Mimecast refused the request (HTTP 400)."
    assert run.message == failure(
        PACKAGE_NAMES[stem],
        f'No message with ID "{message_id}" was found; Mimecast knows it neither as a held ID nor as a tracking ID. '
        f"Mimecast says: {says}",
    )
    assert desk.calls[1:] == [INFO]


PACKAGE_NAMES = {"release_message": "Release Message", "reject_message": "Reject Message"}


def test_a_refusal_that_is_not_about_the_id_is_passed_on_word_for_word_at_once() -> None:
    desk = Desk(held_mail())
    desk.canned[REJECT] = function_error("Reason is not for you", field="reasonType")
    run = desk.run("reject_message", {"Message ID": desk.rows[0].held_id})
    assert run.message == failure("Reject Message", "Reason is not for you")
    assert desk.calls == [REJECT]


def test_a_refusal_with_another_code_is_passed_on_word_for_word_if_it_was_no_tracking_id_either() -> None:
    desk = Desk(held_mail())
    desk.canned[RELEASE] = function_error("The queue is locked", code="err_queue_locked")
    run = desk.run("release_message", {"Message ID": desk.rows[0].held_id})
    assert run.message == failure("Release Message", "The queue is locked")
    assert desk.calls == [RELEASE, INFO]


def test_without_the_right_to_see_tracking_a_tracking_id_fails_with_the_right_that_is_missing() -> None:
    desk = Desk(held_mail())
    desk.tenant.permissions.discard(READ_TRACKING)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert 'It needs "Gateway | Tracking | Read"' in run.message
    assert desk.tenant.released == []


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"id": "another", "release": True}],
        [{"release": True}],
        [{"id": "HELD", "release": True}, {"id": "another", "release": True}],
    ],
)
def test_an_answer_that_does_not_name_the_message_is_no_success(rows: list[Any]) -> None:
    desk = Desk(held_mail())
    desk.canned[RELEASE] = good(*rows)
    run = desk.run("release_message", {"Message ID": "HELD"})
    assert run.message.startswith(
        failure("Release Message", "Mimecast's answer doesn't say that the message was released. To check: ")
    )
    assert desk.calls == [RELEASE]


def test_an_answer_without_data_is_no_success() -> None:
    desk = Desk(held_mail())
    desk.canned[REJECT] = {"meta": {"status": 200}, "fail": []}
    run = desk.run("reject_message", {"Message ID": "HELD"})
    assert "Mimecast's answer doesn't say that the message was rejected." in run.message


# --- sandbox ---------------------------------------------------------------------------------------------------------


def test_a_release_to_the_sandbox_uses_the_sandbox_function_alone() -> None:
    desk = Desk(held_mail())
    tracking_id = desk.rows[0].tracking_id
    run = desk.run("release_message", {"Message ID": tracking_id, "Release To Sandbox": "true"})
    assert run.message == f'Successfully released message with ID "{tracking_id}" in Mimecast.'
    assert desk.calls == [SANDBOX]
    assert desk.bodies == [{"data": [{"id": tracking_id}]}]
    assert (desk.tenant.sandboxed, desk.tenant.released) == ([tracking_id], [])


def test_under_api_2_a_release_to_the_sandbox_fails_and_sends_nothing() -> None:
    desk = Desk(held_mail(), oauth=True)
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id, "Release To Sandbox": "true"})
    assert run.execution_state == FAILED
    assert "With API 2.0 credentials Mimecast has no function to release a message to the sandbox" in run.message
    assert desk.calls == []
    assert desk.rows[0].status == "held"


def test_the_sandbox_function_refuses_word_for_word() -> None:
    desk = Desk(held_mail(status="accepted"))
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id, "Release To Sandbox": "true"})
    assert run.message == failure("Release Message", "The message is not on hold")
    assert desk.calls == [SANDBOX]


@pytest.mark.parametrize("row", [{"id": "ID", "release": False}, {"id": "another"}])
def test_an_answer_of_the_sandbox_function_that_denies_is_a_failure(row: dict[str, Any]) -> None:
    desk = Desk()
    desk.canned[SANDBOX] = good(row)
    run = desk.run("release_message", {"Message ID": "ID", "Release To Sandbox": "true"})
    assert "Mimecast's answer denies that it was done." in run.message


def test_the_sandbox_functions_undocumented_answer_may_be_empty() -> None:
    desk = Desk()
    desk.canned[SANDBOX] = good()
    assert desk.run("release_message", {"Message ID": "ID", "Release To Sandbox": "true"}).result_value is True


# --- report ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sent"), [("Spam", "spam"), ("Malware", "malware"), ("Phishing", "phishing")])
@pytest.mark.parametrize("comment", ["", 'Found by Ann: "it\'s bad"'])
def test_a_message_is_reported(kind: str, sent: str, comment: str) -> None:
    desk = Desk(held_mail())
    tracking_id = desk.rows[0].tracking_id
    run = desk.run("report_message", {"Message ID": tracking_id, "Report As": kind, "Comment": comment})
    assert run.message == f'Successfully reported the following messages in Mimecast: "{tracking_id}".'
    assert desk.calls == [REPORT]
    assert ("comment" in desk.bodies[0]["data"][0]) == bool(comment)
    assert desk.tenant.reported == [Report(tracking_id, sent, comment or None)]


def test_a_message_that_may_not_be_reported_is_refused_word_for_word() -> None:
    desk = Desk(held_mail(status="accepted"))
    run = desk.run("report_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.message == failure("Report Message", "A message that is accepted cannot be reported")
    assert desk.tenant.reported == []


def test_under_api_2_a_report_fails_says_what_to_do_and_sends_nothing() -> None:
    desk = Desk(held_mail(), oauth=True)
    run = desk.run("report_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.message == failure(
        "Report Message",
        "With API 2.0 credentials Mimecast has no function to report a message, so nothing was done. Use API 1.0 keys, "
        "or report it in Mimecast's Administration Console (Message Center | Message Tracking).",
    )
    assert desk.calls == []


def test_a_message_received_long_ago_is_found_too() -> None:
    desk = Desk(held_mail(received=Desk().time.now - minutes(60 * 24 * 13)))
    run = desk.run("release_message", {"Message ID": desk.rows[0].tracking_id})
    assert run.execution_state == COMPLETED, run.message
