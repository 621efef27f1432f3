"""What the details of a message say: its Message-ID, its risk, its parts."""

from __future__ import annotations

import html
import math
from typing import Any

import pytest

from MimecastConstants import RISKS
from MimecastModels import HELD_MESSAGE, MAX_HEADER_CHARS, MESSAGE_DETAILS, MessageDetails

NO_TEXTS: tuple[Any, ...] = (None, 5, [], {})


def details(**blocks: Any) -> MessageDetails:
    return MESSAGE_DETAILS.validate_python(blocks)


# --- Message-ID -------------------------------------------------------------------------------------------------------


def message_id(headers: str, *, escape: bool = True) -> str:
    text = f"<pre>\n{html.escape(headers)}\n</pre>" if escape else headers
    return details(recipientInfo={"messageInfo": {"transmissionInfo": text}}).message_id


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ("Received: from a\r\nMessage-ID: <1@x.example>\r\nSubject: s\r\n", "<1@x.example>"),
        ("message-id: <1@x.example>\r\n", "<1@x.example>"),
        ("Message-Id:<1@x.example>\n", "<1@x.example>"),
        ("Message-ID : <1@x.example>\n", "<1@x.example>"),
        ("Message-ID:\t <1@x.example>\n", "<1@x.example>"),
        ("Message-ID:\r\n <1@x.example>\r\n", "<1@x.example>"),
        ("Message-ID:\n\t<1@x.example>\n", "<1@x.example>"),
        ("Message-ID: 1@x.example\r\nSubject: s", "1@x.example"),
        ("Message-ID: <a&b'\"@x.example>\r\n", "<a&b'\"@x.example>"),
        ("Message-ID: <a b@x.example>\r\n", "<a b@x.example>"),
        ("X-Message-ID: <no@x>\r\nResent-Message-ID: <no@x>\r\nMessage-ID: <1@x.example>\r\n", "<1@x.example>"),
        ("In-Reply-To: <no@x>\r\nReferences: <no@x>\r\nMessage-ID: <1@x.example>\r\n", "<1@x.example>"),
        ("Subject: Message-ID: <no@x>\r\nMessage-ID: <1@x.example>\r\n", "<1@x.example>"),
        ("Subject: s\r\n Message-ID: <no@x>\r\nMessage-ID: <1@x.example>\r\n", "<1@x.example>"),
        ("Message-ID: <1@x.example>\r\nMessage-ID: <2@x.example>\r\n", "<1@x.example>"),
        ("Message-ID: <>\r\n", ""),
        ("Message-ID:\r\nSubject: s\r\n", ""),
        ("Message-ID:", ""),
        ("Subject: s\r\n", ""),
        ("", ""),
    ],
)
def test_the_message_id_is_taken_from_the_escaped_headers(headers: str, found: str) -> None:
    assert message_id(headers) == found


@pytest.mark.parametrize(
    "text",
    [
        "<pre>\nMessage-ID: &lt;1@x.example&gt;\r\n\r\n\n</pre>",
        "<pre>Message-ID: &lt;1@x.example&gt;\r\n</pre>",
        "Message-ID: &lt;1@x.example&gt;",
        "Message-ID: <1@x.example>",
        "Message-ID: &#60;1@x.example&#62;",
    ],
)
def test_the_message_id_is_found_with_and_without_markup_around_it(text: str) -> None:
    assert message_id(text, escape=False) == "<1@x.example>"


@pytest.mark.parametrize(
    "blocks",
    [{}, {"recipientInfo": None}, {"recipientInfo": {"messageInfo": None}}]
    + [{"recipientInfo": {"messageInfo": {"transmissionInfo": value}}} for value in NO_TEXTS],
)
def test_without_headers_there_is_no_message_id(blocks: dict[str, Any]) -> None:
    assert details(**blocks).message_id == ""


def test_a_message_id_is_no_longer_than_a_line_of_a_mail_can_be() -> None:
    assert len(message_id(f"Message-ID: <{'a' * 100_000}@x>")) == MAX_HEADER_CHARS


@pytest.mark.parametrize(
    "headers",
    [
        "\n" * 200_000,
        "Subject: s\r\n" + " \r\n" * 200_000,
        "Message-ID:" + "\r\n " * 200_000,
        "Message-ID:\n" * 100_000,
        "Message-ID: <" * 50_000,
        "Message-ID: " + "<" * 200_000,
    ],
    ids=["empty lines", "blank lines", "endless fold", "empty ids", "open brackets", "brackets"],
)
def test_headers_that_somebody_wrote_to_be_slow_are_not(headers: str) -> None:
    # Quadratic time would be minutes here; the file's other tests show that the answer is right.
    assert message_id(headers) == ""


# --- risk -------------------------------------------------------------------------------------------------------------


def with_verdict(verdict: Any) -> MessageDetails:
    return details(spamInfo={"spamProcessingDetail": {"verdict": verdict}})


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title, lambda text: f" {text} "])
def test_the_verdicts_risk_is_read_without_regard_to_case(risk: str, write: Any) -> None:
    assert with_verdict({"risk": write(risk)}).risk == risk


@pytest.mark.parametrize(
    ("verdict", "risk"),
    [
        ({"risk": "low", "categories": [{"risk": "high"}]}, "low"),
        ({"categories": [{"risk": "low"}, {"risk": "HIGH"}, {"risk": "medium"}]}, "high"),
        ({"risk": "", "categories": [{"risk": "negligible"}]}, "negligible"),
        ({"risk": "unheard of", "categories": [{"risk": "medium"}, {"risk": "?"}]}, "medium"),
        ({"risk": "unheard of"}, ""),
        ({"risk": None, "categories": None}, ""),
        ({"risk": 3, "categories": [None, "high", {"risk": ["high"]}]}, ""),
        ({}, ""),
        (None, ""),
        ("high", ""),
        ([{"risk": "high"}], ""),
    ],
)
def test_the_risk_is_the_verdicts_or_the_highest_of_its_categories_or_unknown(verdict: Any, risk: str) -> None:
    assert with_verdict(verdict).risk == risk


@pytest.mark.parametrize("spam", [None, {}, [], "x", {"spamProcessingDetail": None}, {"spamProcessingDetail": "x"}])
def test_without_a_verdict_the_risk_is_unknown(spam: Any) -> None:
    assert details(spamInfo=spam).risk == ""
    assert MESSAGE_DETAILS.validate_python({}).risk == ""


# --- components -------------------------------------------------------------------------------------------------------

QUEUED = [{"fileType": "Email Primary Body HTML", "fileName": "body.htm", "txSize": 10001, "hash": "aa"}]
RECEIVED = [{"type": "Attachment", "name": "a.pdf", "extension": "pdf", "mimeType": "application/pdf", "size": 5}]
DELIVERED = {"ann@corp.example": {"deliveryMetaInfo": {"components": [{"name": "b.txt", "mimeType": "text/plain"}]}}}


def test_the_components_of_a_message_on_hold_are_those_that_are_to_go_out() -> None:
    blocks = {"txInfo": {"transmissionComponents": QUEUED}, "recipientMetaInfo": {"components": RECEIVED}}
    found = details(recipientInfo=blocks, deliveredMessage=DELIVERED).components
    assert [(part.any_name, part.any_type, part.any_size, part.hash) for part in found] == [
        ("body.htm", "Email Primary Body HTML", 10001, "aa")
    ]


def test_otherwise_they_are_those_that_came_in() -> None:
    found = details(
        recipientInfo={"recipientMetaInfo": {"components": RECEIVED}}, deliveredMessage=DELIVERED
    ).components
    assert [(part.any_name, part.any_type, part.any_size) for part in found] == [("a.pdf", "Attachment", 5)]


def test_otherwise_they_are_those_that_were_delivered() -> None:
    found = details(
        deliveredMessage={"bob@corp.example": None, "eve@x": {"deliveryMetaInfo": []}} | DELIVERED
    ).components
    assert [(part.any_name, part.any_type, part.any_size) for part in found] == [("b.txt", "text/plain", 0)]


@pytest.mark.parametrize("size", [None, "", "big", -1, math.nan, math.inf, 10**400, 2**60, True, [], {}])
def test_a_size_that_makes_no_sense_is_unknown(size: Any) -> None:
    part = {"fileName": "x", "txSize": size}
    assert details(recipientInfo={"txInfo": {"transmissionComponents": [part]}}).components[0].any_size == 0


@pytest.mark.parametrize(("size", "number"), [("78222", 78222), (78222.0, 78222), (0, 0)])
def test_a_size_may_be_written_in_several_ways(size: Any, number: int) -> None:
    assert HELD_MESSAGE.validate_python({"size": size}).size == number


@pytest.mark.parametrize("rows", [None, {}, "x", [None, "x", 5, []]])
def test_a_list_of_components_that_is_none_is_empty(rows: Any) -> None:
    blocks = {"txInfo": {"transmissionComponents": rows}, "recipientMetaInfo": {"components": rows}}
    assert (
        details(recipientInfo=blocks, deliveredMessage={"x": {"deliveryMetaInfo": {"components": rows}}}).components
        == ()
    )
