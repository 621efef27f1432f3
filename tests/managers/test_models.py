"""Rows as Mimecast gives them, also odd ones: nulls, wrong types, empty senders, missing ids."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from MimecastModels import (
    HELD_ATTACHMENT,
    HELD_MESSAGE,
    MESSAGE_DETAILS,
    TRACKED_MESSAGE,
    TrackedMessage,
    read_moment,
    write_moment,
)

TRACKED = {
    "info": "Message Hold Applied - Content examination policy",
    "id": "eNpNjkFq",
    "status": "held",
    "fromEnv": {"emailAddress": "bounce@sender.example"},
    "fromHdr": {"emailAddress": "eve@sender.example", "displayableName": "Eve"},
    "to": [{"displayableName": "", "emailAddress": "ann@corp.example"}, {"emailAddress": "bob@corp.example"}],
    "received": "2025-04-16T16:07:14+0000",
    "subject": "Résumé",
    "senderIP": "198.51.100.7",
    "attachments": True,
    "route": "inbound",
    "sent": "2025-04-16T16:07:00+0000",
    "spamScore": 21,
    "detectionLevel": "relaxed",
}
HELD = {
    "id": "eNoVjk",
    "reason": "Spam Signature",
    "reasonCode": "default_spam_signature_policy",
    "from": {"emailAddress": "bounce@sender.example"},
    "fromHeader": {"emailAddress": "eve@sender.example"},
    "to": {"emailAddress": "ann@corp.example"},
    "subject": "Résumé",
    "route": "INBOUND",
    "hasAttachments": True,
    "size": 78222,
    "dateReceived": "2025-04-16T16:07:14+0000",
    "policyInfo": "Spam Scanning Policy",
}
READERS: dict[str, Any] = {
    "tracked": TRACKED_MESSAGE,
    "details": MESSAGE_DETAILS,
    "held": HELD_MESSAGE,
    "attachment": HELD_ATTACHMENT,
}
ODD_VALUES: tuple[Any, ...] = (
    None,
    "",
    "text",
    "\ud800",
    0,
    -1,
    2.5,
    10**400,
    math.nan,
    math.inf,
    True,
    [],
    [None, 1, "x", [], {}],
    {},
    {"emailAddress": None},
    {"a": {"b": []}},
)


def tracked(**changes: Any) -> TrackedMessage:
    return TRACKED_MESSAGE.validate_python(TRACKED | changes)


def read_everything(message: Any) -> None:
    """Look at all that a message says; it must be plain enough for JSON too."""
    for name in dir(type(message)):
        if not name.startswith("_"):
            getattr(message, name)
    json.dumps(str(message))


# --- tracked messages -------------------------------------------------------------------------------------------------


def test_a_tracked_row_as_mimecast_gives_it() -> None:
    message = tracked()
    assert message.tracking_id == "eNpNjkFq"
    assert message.is_held
    assert message.senders == ("bounce@sender.example", "eve@sender.example")
    assert message.from_hdr.displayable_name == "Eve"
    assert message.recipients == ("ann@corp.example", "bob@corp.example")
    assert message.received == datetime(2025, 4, 16, 16, 7, 14, tzinfo=UTC)
    assert (message.sender_ip, message.spam_score, message.attachments) == ("198.51.100.7", 21.0, True)
    assert (message.subject, message.route, message.detection_level) == ("Résumé", "inbound", "relaxed")


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", TRACKED)
def test_an_odd_value_in_a_tracked_row_costs_that_value_only(name: str, value: Any) -> None:
    message = tracked(**{name: value})
    read_everything(message)
    other = "route" if name != "route" else "subject"
    assert getattr(message, other) == TRACKED[other]


@pytest.mark.parametrize("name", TRACKED)
def test_a_missing_field_of_a_tracked_row_is_an_empty_one(name: str) -> None:
    message = TRACKED_MESSAGE.validate_python({key: value for key, value in TRACKED.items() if key != name})
    read_everything(message)
    assert message == tracked(**{name: None})


@pytest.mark.parametrize("sender", ["<>", " <> ", "", "   ", None, "< >"])
def test_an_empty_envelope_sender_is_no_address(sender: Any) -> None:
    message = tracked(fromEnv={"emailAddress": sender})
    assert message.from_env.address == ""
    assert message.senders == ("eve@sender.example",)


def test_brackets_and_blanks_around_an_address_are_not_part_of_it() -> None:
    assert tracked(fromHdr={"emailAddress": " <eve@sender.example> "}).from_hdr.address == "eve@sender.example"


@pytest.mark.parametrize("to", [None, [], {}, "ann@corp.example", [None], [{"emailAddress": "<>"}], [{}]])
def test_a_row_without_readable_recipients_has_none(to: Any) -> None:
    assert tracked(to=to).recipients == ()


def test_an_unreadable_recipient_does_not_cost_the_others() -> None:
    to = [None, {"emailAddress": "ann@corp.example"}, "x", {"emailAddress": 5}, {}]
    assert tracked(to=to).recipients == ("ann@corp.example", "5")


@pytest.mark.parametrize("status", ["held", "Held", "HELD"])
def test_a_message_on_hold_is_known_by_its_status(status: str) -> None:
    assert tracked(status=status).is_held
    assert not tracked(status="archived").is_held
    assert not tracked(status=None).is_held


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0),
        (-3, -3.0),
        ("21", 21.0),
        (2.5, 2.5),
        (None, None),
        ("", None),
        ("high", None),
        (True, None),
        ([], None),
        ("nan", None),
        (math.nan, None),
        (math.inf, None),
        ("-inf", None),
        (10**400, None),
        ("1e999", None),
    ],
)
def test_a_spam_score_that_is_no_finite_number_is_unknown(value: Any, number: float | None) -> None:
    assert tracked(spamScore=value).spam_score == number


# --- rows without an id -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, "", {}, []])
def test_a_row_without_an_id_gets_one_that_stays_the_same(missing: Any) -> None:
    first = tracked(id=missing).tracking_id
    assert first.startswith("no-id-")
    assert len(first) == len("no-id-") + 32
    # What changes about a message in the course of time is not part of it.
    later = tracked(id=missing, status="archived", info="Indexed and archived", spamScore=3, detectionLevel="x")
    assert later.tracking_id == first


@pytest.mark.parametrize(
    "change",
    [
        {"fromEnv": {"emailAddress": "other@sender.example"}},
        {"fromHdr": {"emailAddress": "other@sender.example"}},
        {"subject": "other"},
        {"received": "2025-04-16T16:08:00+0000"},
        {"senderIP": "198.51.100.8"},
        {"to": [{"emailAddress": "other@corp.example"}]},
        {"to": []},
        {"subject": "\ud800"},
    ],
    ids=lambda change: str(ascii(change)),
)
def test_two_messages_without_ids_are_told_apart(change: dict[str, Any]) -> None:
    assert tracked(id="", **change).tracking_id != tracked(id="").tracking_id


# --- moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2011-12-03T10:15:30+0000", datetime(2011, 12, 3, 10, 15, 30, tzinfo=UTC)),
        ("2011-12-03T10:15:30Z", datetime(2011, 12, 3, 10, 15, 30, tzinfo=UTC)),
        ("2011-12-03T10:15:30", datetime(2011, 12, 3, 10, 15, 30, tzinfo=UTC)),
        ("2011-12-03T10:15:30+02:00", datetime(2011, 12, 3, 8, 15, 30, tzinfo=UTC)),
        ("2011-12-03T01:15:30-0500", datetime(2011, 12, 3, 6, 15, 30, tzinfo=UTC)),
        ("2011-12-03T10:15:30.250+0000", datetime(2011, 12, 3, 10, 15, 30, 250_000, tzinfo=UTC)),
        (" 2011-12-03T10:15:30+0000 ", datetime(2011, 12, 3, 10, 15, 30, tzinfo=UTC)),
        ("2024-02-29T00:00:00+0000", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_into_utc(text: str, moment: datetime) -> None:
    read = read_moment(text)
    assert read == moment
    assert read is not None
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "2011-13-03T10:15:30+0000",
        "2023-02-29T00:00:00+0000",
        "2011-12-03T25:15:30+0000",
        "03/12/2011 10:15",
        "٢٠١١-١٢-٠٣",
        "0001-01-01T00:00:00+0100",
        "9999-12-31T23:59:59-0100",
        1322907330000,
        1.5,
        True,
        [],
        {},
    ],
)
def test_a_moment_that_is_none_is_unknown_and_no_crash(value: Any) -> None:
    assert read_moment(value) is None
    assert tracked(received=value).received is None


def test_a_moment_is_written_as_mimecast_documents_it() -> None:
    moment = datetime(2026, 1, 1, 1, 30, 5, 999_999, tzinfo=timezone(timedelta(hours=7)))
    assert write_moment(moment) == "2025-12-31T18:30:05+0000"
    assert read_moment(write_moment(moment)) == moment.replace(microsecond=0)


# --- details and held messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize(
    "path",
    [
        "id",
        "status",
        "recipientInfo",
        "recipientInfo.messageInfo",
        "recipientInfo.messageInfo.to",
        "recipientInfo.messageInfo.cc",
        "recipientInfo.messageInfo.textBody",
        "recipientInfo.recipientMetaInfo",
        "recipientInfo.txInfo",
        "recipientInfo.txInfo.queueDetailStatus",
        "deliveredMessage",
        "deliveredMessage.x",
        "queueInfo",
        "queueInfo.reason",
        "spamInfo",
        "spamInfo.spamScore",
        "spamInfo.spamProcessingDetail",
        "spamInfo.spamProcessingDetail.verdict",
        "spamInfo.spamProcessingDetail.verdict.categories",
    ],
)
def test_every_block_of_the_details_may_be_missing_null_or_odd(path: str, value: Any) -> None:
    block = value
    for name in reversed(path.split(".")):
        block = {name: block}
    read_everything(MESSAGE_DETAILS.validate_python(block))


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", HELD)
def test_an_odd_value_in_a_held_row_costs_that_value_only(name: str, value: Any) -> None:
    message = HELD_MESSAGE.validate_python(HELD | {name: value})
    read_everything(message)
    assert message.policy_info == HELD["policyInfo"] or name == "policyInfo"


def test_a_held_row_as_mimecast_gives_it() -> None:
    message = HELD_MESSAGE.validate_python(HELD)
    assert message.senders == ("bounce@sender.example", "eve@sender.example")
    assert message.to.address == "ann@corp.example"
    assert (message.id, message.size, message.has_attachments) == ("eNoVjk", 78222, True)
    assert message.date_received == datetime(2025, 4, 16, 16, 7, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        ("true", True),
        ("True", True),
        (False, False),
        ("false", False),
        (None, False),
        (1, False),
        ([], False),
    ],
)
def test_a_flag_is_set_only_if_it_says_true(value: Any, flag: bool) -> None:
    assert HELD_MESSAGE.validate_python(HELD | {"hasAttachments": value}).has_attachments is flag


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TRACKED, *HELD, "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", READERS)
@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(row=st.dictionaries(st.sampled_from([*TRACKED, *HELD, "recipientInfo", "spamInfo", "filename"]), ANY_JSON))
def test_whatever_json_a_row_holds_it_can_be_read(kind: str, row: dict[str, Any]) -> None:
    read_everything(READERS[kind].validate_python(row))
