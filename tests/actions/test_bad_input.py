"""Bad input: a message that names the parameter and what is wrong, an honest failure, and nothing sent to Mimecast."""

from __future__ import annotations

from typing import Any

import pytest

from .support import ARCHIVE, FAILED, MANAGED, PACKAGE, POLICY, RELEASE, REPORT, Desk, function_error, gateway_error

SEARCH = "simple_archive_search"
ADVANCED = "advanced_archive_search"
POLICY_ACTION = "create_block_sender_policy"
EVE, ANN = "eve@sender.example", "ann@corp.example"
GOOD: dict[str, dict[str, str]] = {
    SEARCH: {},
    ADVANCED: {"XML Query": "<xmlquery/>"},
    "reject_message": {"Message ID": "eN1"},
    "release_message": {"Message ID": "eN1"},
    "report_message": {"Message ID": "eN1"},
    "block_sender": {"Sender": EVE, "Recipient": ANN},
    "permit_sender": {"Sender": EVE, "Recipient": ANN},
    POLICY_ACTION: {"Description": "Stop Eve", "Sender": "sender.example", "Recipient": "corp.example"},
}
"""For each action, input that nothing is wrong with."""

BY_ID = ["reject_message", "release_message", "report_message"]
BY_ADDRESS = ["block_sender", "permit_sender"]
EXAMPLE_TIME = "it is no ISO 8601 time such as 2025-03-07T16:03:00Z"
FRAMES = "Last Hour, Last 6 Hours, Last 24 Hours, Last Week, Last Month, Custom"
REASONS = "Select One, Inappropriate Communication, Confidential Information, Against Email Policy, Restricted Content"
TARGETS = "Everyone, Email Address, Email Domain, Header Display Name, Internal Addresses, External Addresses"


def custom(start: str, end: str = "") -> dict[str, str]:
    return {"Time Frame": "Custom", "Start Time": start, "End Time": end}


def named(name: str, reason: str) -> str:
    return f'Parameter "{name}": {reason}.'


UNFILLED = 'it is "[Event.x]", a playbook placeholder that was not filled'
BAD_ID = "blanks, line breaks, quotes and angle brackets can't be part of an ID; give one ID alone"
NO_XML = "it holds characters that can't stand in a query, such as control characters"
NO_XML_QUERY = "it is no well-formed XML: "
NO_DOCTYPE = "a document type (DOCTYPE) or entities are not allowed in it"
NO_BOOLEAN = "only true and false are possible"
UNFILLED_BOOLEAN = "the playbook placeholder [Event.x] was not filled; use true or false"

Case = tuple[str, dict[str, str], str]


def one(stem: str, name: str, value: str, reason: str) -> Case:
    """A case in which one parameter is wrong."""
    return stem, {name: value}, named(name, reason)


def not_one_of(stem: str, name: str, value: str, options: str) -> Case:
    return one(stem, name, value, f'"{value}" is not one of its values. Possible values: {options}')


def unfilled(stem: str, name: str, options: str) -> Case:
    return one(stem, name, "[Event.x]", f"{UNFILLED}. Possible values: {options}")


def no_time(value: str) -> str:
    return f'"{value}" can\'t be used: {EXAMPLE_TIME}'


def no_time_of_day(value: str) -> str:
    return f'"{value}" can\'t be used: it has no time of day; write it such as 2025-03-07T16:03:00Z'


def value_needed(name: str, kind: str) -> str:
    return f'Parameter "{name}": a value is needed, because "{name} Type" is "{kind}".'


NEEDED = {
    ADVANCED: ["XML Query"],
    **{stem: ["Message ID"] for stem in BY_ID},
    **{stem: ["Sender", "Recipient"] for stem in BY_ADDRESS},
    POLICY_ACTION: ["Description"],
}
BLANK = [
    *[one(stem, name, blank, "a value is needed") for stem in NEEDED for name in NEEDED[stem] for blank in ("", " \n")],
    one(SEARCH, "Fields To Return", " ", "at least one field is needed"),
    one(SEARCH, "Fields To Return", ", ,\n", "at least one field is needed"),
    not_one_of(SEARCH, "Time Frame", "", FRAMES),
]
LISTS = [
    not_one_of(SEARCH, "Time Frame", "Last Year", FRAMES),
    unfilled(SEARCH, "Time Frame", FRAMES),
    not_one_of("reject_message", "Reason", "Spam", REASONS),
    unfilled("reject_message", "Reason", REASONS),
    not_one_of("report_message", "Report As", "Ham", "Spam, Malware, Phishing"),
    unfilled("report_message", "Report As", "Spam, Malware, Phishing"),
    not_one_of(POLICY_ACTION, "Response", "Block", "Block Sender, No Action"),
    not_one_of(POLICY_ACTION, "Extracted Data", "Body", "Both, From Envelope, From Headers"),
    unfilled(POLICY_ACTION, "Sender Type", TARGETS),
    not_one_of(POLICY_ACTION, "Recipient Type", "Group", TARGETS),
    one("reject_message", "Notify Sender", "maybe", NO_BOOLEAN),
    one("release_message", "Release To Sandbox", "1", NO_BOOLEAN),
    one(POLICY_ACTION, "Enforced", "[Event.x]", UNFILLED_BOOLEAN),
]
NUMBERS = [
    one(SEARCH, "Max Emails To Return", number, f'"{number}" is not a whole number from 1 up')
    for number in ("0", "-1", "abc", "1.5", "1e3", "1_000", "٣", "[Event.x]")
]
CUSTOM_NEEDS_START = '"Start Time" should be provided, when "Custom" is selected in "Time Frame" parameter.'
TIMES: list[Case] = [
    (SEARCH, custom(""), CUSTOM_NEEDS_START),
    (SEARCH, custom("  ", "2026-03-01T00:00:00Z"), CUSTOM_NEEDS_START),
    (SEARCH, custom("2026-13-01"), named("Start Time", no_time("2026-13-01"))),
    (SEARCH, custom("[Event.x]"), named("Start Time", UNFILLED)),
    (SEARCH, custom("2026-03-01"), named("Start Time", no_time_of_day("2026-03-01"))),
    (SEARCH, custom("2026-03-01T00:00:00Z", "soon"), named("End Time", no_time("soon"))),
    (SEARCH, custom("2026-03-01T00:00:00Z", "2026-03-05"), named("End Time", no_time_of_day("2026-03-05"))),
    (
        SEARCH,
        custom("2026-03-02T00:00:00Z", "2026-03-01T23:59:59"),
        '"End Time" (2026-03-01T23:59:59) is before "Start Time" (2026-03-02T00:00:00Z).',
    ),
    (
        SEARCH,
        custom("2026-03-12T00:00:00Z"),
        '"End Time" (empty, so the present: 2026-03-11T12:00:00Z) is before "Start Time" (2026-03-12T00:00:00Z).',
    ),
    one(POLICY_ACTION, "Start Time", "2026-13-01", no_time("2026-13-01")),
    one(POLICY_ACTION, "End Time", "[Event.x]", UNFILLED),
    one(POLICY_ACTION, "End Time", "2026-03-01", no_time_of_day("2026-03-01")),
    *[
        (
            POLICY_ACTION,
            {"Start Time": "2026-03-02T00:00:00Z", "End Time": end},
            '"End Time" must be after "Start Time".',
        )
        for end in ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-02T08:00:00+09:00")
    ],
]
NO_ADDRESSES = ["eve", "eve@", "@sender.example", "eve@sender", "a@b.c, d@e.f", "eve @sender.example", "a@b@c.d"]
ADDRESSES: list[Case] = [
    *[
        one(stem, name, value, f'"{value}" is no e-mail address')
        for stem in BY_ADDRESS
        for name in ("Sender", "Recipient")
        for value in NO_ADDRESSES
    ],
    one("block_sender", "Sender", "[Event.x]", UNFILLED),
    one("block_sender", "Sender", "a" * 400 + "@b.example", f'"{"a" * 100}…" is no e-mail address'),
    one(SEARCH, "From", "eve@sender.example, bob", '"bob" is no e-mail address'),
    one(SEARCH, "To", "bob or ann@corp.example", '"bob or ann@corp.example" is no e-mail address'),
    one(SEARCH, "To", "[Event.x]", UNFILLED),
    one(SEARCH, "Mailboxes", "corp.example", '"corp.example" is no e-mail address'),
    (POLICY_ACTION, {"Sender": ""}, value_needed("Sender", "Email Domain")),
    (POLICY_ACTION, {"Recipient": " "}, value_needed("Recipient", "Email Domain")),
    (
        POLICY_ACTION,
        {"Sender": "", "Sender Type": "Header Display Name"},
        value_needed("Sender", "Header Display Name"),
    ),
    (
        POLICY_ACTION,
        {"Recipient": "", "Recipient Type": "Email Address"},
        value_needed("Recipient", "Email Address"),
    ),
    (
        POLICY_ACTION,
        {"Sender": EVE},
        f'Parameter "Sender": "{EVE}" is no domain such as example.com, but "Sender Type" is "Email Domain".',
    ),
    (
        POLICY_ACTION,
        {"Recipient": "corp.example", "Recipient Type": "Email Address"},
        'Parameter "Recipient": "corp.example" is no e-mail address, but "Recipient Type" is "Email Address".',
    ),
    (
        POLICY_ACTION,
        {"Sender": "[Event.x]", "Sender Type": "Header Display Name"},
        f'Parameter "Sender": {UNFILLED}, but "Sender Type" is "Header Display Name".',
    ),
    (
        POLICY_ACTION,
        {"Sender Type": "Everyone", "Recipient Type": "Everyone"},
        'A policy with the response "Block Sender" from "Everyone" to "Everyone" would stop all mail of the '
        'organization, so it is not created. Narrow "Sender Type" or "Recipient Type".',
    ),
]
INTERNET_ID = (
    '"<1@sender.example>" looks like an internet Message-ID; give the message\'s tracking ID or held ID instead'
)
IDS = [
    one(stem, "Message ID", value, reason)
    for stem in BY_ID
    for value, reason in (
        ("[Event.x]", UNFILLED),
        ('"eN1"', BAD_ID),
        ("eN1 eN2", BAD_ID),
        ("eN1\neN2", BAD_ID),
        ("eN1\x00", BAD_ID),
        ("x" * 10_000, "it has 10000 characters; no ID has more than 2048"),
        ("<1@sender.example>", INTERNET_ID),
    )
]
XML = [
    one(SEARCH, "Subject", "a\x0bb", NO_XML),
    one(SEARCH, "Fields To Return", "id,a\x01", NO_XML),
    one(
        ADVANCED,
        "XML Query",
        "<xmlquery>&</xmlquery>",
        f"{NO_XML_QUERY}not well-formed (invalid token) (line 1, column 12)",
    ),
    one(ADVANCED, "XML Query", "[Event.x]", f"{NO_XML_QUERY}syntax error (line 1, column 1)"),
    one(ADVANCED, "XML Query", "<!DOCTYPE xmlquery><xmlquery/>", NO_DOCTYPE),
    one(ADVANCED, "XML Query", "<query/>", "its root element is <query>, but an archive query's is <xmlquery>"),
]
CASES: list[Case] = [*BLANK, *LISTS, *NUMBERS, *TIMES, *ADDRESSES, *IDS, *XML]


@pytest.mark.parametrize(("stem", "change", "reason"), CASES)
@pytest.mark.parametrize("oauth", [False, True])
def test_bad_input_fails_with_its_message_and_sends_nothing(
    stem: str, change: dict[str, str], reason: str, oauth: bool
) -> None:
    desk = Desk(oauth=oauth)
    run = desk.run(stem, GOOD[stem] | change)
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert run.message == f'Error executing action "{PACKAGE.actions[stem].name}". Reason: {reason}'
    assert desk.calls == []
    assert (run.json_result, run.tables) == (None, {})


@pytest.mark.parametrize("stem", sorted(GOOD))
def test_parameters_that_are_missing_altogether_are_named_all_at_once(stem: str) -> None:
    desk = Desk()
    run = desk.run(stem, {}, exactly=True)
    assert run.execution_state == FAILED
    for parameter in PACKAGE.actions[stem].parameters:
        assert (f'"{parameter.name}"' in run.message) == parameter.mandatory
    assert desk.calls == []


@pytest.mark.parametrize("stem", sorted(GOOD))
def test_values_of_the_wrong_json_type_are_read_or_refused_but_never_crash(stem: str) -> None:
    for value in (None, 5, True, ["a"], {"a": 1}):
        odd: dict[str, Any] = {parameter.name: value for parameter in PACKAGE.actions[stem].parameters}
        run = Desk().run(stem, odd)
        assert run.reason == "", run.reason
        assert "an unexpected error" not in run.message


def test_unknown_parameters_are_ignored() -> None:
    desk = Desk()
    run = desk.run(SEARCH, {"Fields To Return": "id", "Time Frame": "Last Hour", "Folder": "x"}, exactly=True)
    assert run.result_value is True


@pytest.mark.parametrize("limit", [str(10**9), "9" * 30, "9" * 5000, " 0050 "])
def test_a_huge_limit_is_a_limit(limit: str) -> None:
    desk = Desk()
    assert desk.run(SEARCH, {"Max Emails To Return": limit}).result_value is True
    assert desk.calls == [ARCHIVE]


# --- answers that are failures ---------------------------------------------------------------------------------------

PATHS = {
    SEARCH: ARCHIVE,
    ADVANCED: ARCHIVE,
    "report_message": REPORT,
    "block_sender": MANAGED,
    "permit_sender": MANAGED,
    POLICY_ACTION: POLICY,
}


@pytest.mark.parametrize("stem", sorted(PATHS))
def test_a_functions_own_error_is_the_reason_word_for_word(stem: str) -> None:
    desk = Desk()
    desk.canned[PATHS[stem]] = function_error("Not today, said Mimecast")
    run = desk.run(stem, GOOD[stem])
    assert (run.execution_state, run.result_value) == (FAILED, False)
    name = PACKAGE.actions[stem].name
    assert run.message == f'Error executing action "{name}". Reason: Not today, said Mimecast'
    assert len(desk.calls) == 1


@pytest.mark.parametrize("stem", sorted(PATHS))
def test_the_other_shape_of_fail_is_a_failure_too(stem: str) -> None:
    desk = Desk()
    desk.canned[PATHS[stem]] = gateway_error("No such product")
    run = desk.run(stem, GOOD[stem])
    assert run.execution_state == FAILED
    assert "Mimecast says: No such product" in run.message


@pytest.mark.parametrize("stem", sorted(PATHS))
def test_data_beside_fail_does_not_make_it_a_success(stem: str) -> None:
    desk = Desk()
    rows = [{"id": "eN1", "sender": EVE, "to": ANN, "type": "Block", "option": "block_sender", "policy": {}}]
    desk.canned[PATHS[stem]] = function_error("Half of it failed") | {"data": rows}
    run = desk.run(stem, GOOD[stem])
    assert (run.execution_state, run.json_result) == (FAILED, None)
    assert run.message.endswith("Reason: Half of it failed")


def test_both_errors_of_an_answer_are_said_once_each() -> None:
    desk = Desk()
    answer = function_error("First")
    answer["fail"] += function_error("Second")["fail"] + function_error("First")["fail"]
    desk.canned[RELEASE] = answer
    run = desk.run("release_message", GOOD["release_message"])
    assert run.message.endswith("Reason: First; Second")
