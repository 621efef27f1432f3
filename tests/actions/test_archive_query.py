"""The XML of archive queries: what is built, and what of a user's own is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from MimecastArchiveQuery import ArchiveSearch, build_query, check_query, is_xml_text

START = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)
END = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def built(**changes: Any) -> Element:
    values: dict[str, Any] = {"fields": ["id", "subject"], "start": START, "end": END}
    root: Element = ElementTree.fromstring(build_query(ArchiveSearch(**(values | changes))))
    return root


def texts(root: Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path)]


def test_a_query_is_built_like_mimecasts_own_example() -> None:
    assert build_query(
        ArchiveSearch(
            ["id", "subject"], START, END, ["ann@corp.example"], ["eve@sender.example"], ["ann@corp.example"], "Invoice"
        )
    ) == (
        '<?xml version="1.0"?><xmlquery trace="iql,muse"><metadata query-type="emailarchive" archive="true" '
        'active="false" page-size="100" startrow="0"><mailboxes><mailbox include-aliases="true">ann@corp.example'
        "</mailbox></mailboxes><smartfolders /><return-fields><return-field>id</return-field><return-field>subject"
        "</return-field></return-fields></metadata><muse><text>subject: Invoice</text>"
        '<date select="between" from="2026-03-11T11:00:00Z" to="2026-03-11T12:00:00Z" />'
        '<sent select="from">eve@sender.example</sent><sent select="to">ann@corp.example</sent>'
        '<docs select="optional" /><route /></muse></xmlquery>'
    )


def test_without_criteria_the_whole_archive_of_the_time_is_searched() -> None:
    root = built()
    assert len(root.findall("metadata/mailboxes/mailbox")) == 0
    assert texts(root, "muse/text") == [""]
    assert texts(root, "muse/sent") == []


def test_several_addresses_of_one_side_are_combined_with_or() -> None:
    root = built(senders=["a@x.example", "b@x.example"], recipients=["ann@corp.example"])
    assert texts(root, "muse/text") == ["from:a@x.example or from:b@x.example"]
    assert [(each.get("select"), each.text) for each in root.iterfind("muse/sent")] == [("to", "ann@corp.example")]


def test_a_subject_stands_beside_several_addresses_of_both_sides() -> None:
    root = built(senders=["a@x.example", "b@x.example"], recipients=["c@y.example", "d@y.example"], subject="Hello")
    assert texts(root, "muse/text") == [
        "subject: Hello",
        "from:a@x.example or from:b@x.example",
        "to:c@y.example or to:d@y.example",
    ]


def test_times_are_sent_in_utc_with_an_offset() -> None:
    tokyo = timezone(timedelta(hours=9))
    date = built(start=datetime(2026, 3, 11, 20, 0, tzinfo=tokyo), end=END).find("muse/date")
    assert date is not None
    assert (date.get("from"), date.get("to")) == ("2026-03-11T11:00:00Z", "2026-03-11T12:00:00Z")


NASTY = ["a & b", "<text>x</text>", "]]>", "<![CDATA[x]]>", "'\"", "&amp;", "-->", "日本語", "</xmlquery>"]


@pytest.mark.parametrize("value", NASTY)
def test_every_value_arrives_as_it_is_and_changes_nothing_around_it(value: str) -> None:
    root = built(subject=value, mailboxes=[value], senders=[value], recipients=[value, "b"], fields=[value])
    assert texts(root, "muse/text") == [f"subject: {value}", f"to:{value} or to:b"]
    assert texts(root, "muse/sent") == texts(root, "metadata/mailboxes/mailbox") == [value]
    assert texts(root, "metadata/return-fields/return-field") == [value]
    assert [element.tag for element in root] == ["metadata", "muse"]


@given(st.text())
def test_a_text_that_counts_as_xml_can_be_sent_in_it(value: str) -> None:
    if is_xml_text(value):
        # XML itself turns a carriage return into a line feed.
        assert texts(built(subject=value + "x"), "muse/text") == [
            f"subject: {value}x".replace("\r\n", "\n").replace("\r", "\n")
        ]


@pytest.mark.parametrize("value", ["\x00", "a\x01b", "\x1f", "\ud800", "\ufffe"])
def test_characters_that_xml_cannot_hold_are_noticed(value: str) -> None:
    assert not is_xml_text(value)


# --- a user's own query ----------------------------------------------------------------------------------------------

GOOD = '<?xml version="1.0"?>\n<xmlquery trace="iql,muse"><muse><text>%s</text></muse></xmlquery>'


@pytest.mark.parametrize(
    "text", ["a &amp; b", "&lt;", "&#38;", "<![CDATA[x < y && z]]>", "日本語 \U0001f600", "]]&gt;"]
)
def test_a_well_formed_query_is_good(text: str) -> None:
    check_query(GOOD % text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD % "a & b", "it is no well-formed XML: not well-formed (invalid token) (line 2, column 43)"),
        (GOOD % "a < b", "it is no well-formed XML: not well-formed (invalid token) (line 2, column 43)"),
        (GOOD % "]]>", "it is no well-formed XML: not well-formed (invalid token) (line 2, column 42)"),
        (GOOD % "\x0b", "it is no well-formed XML: not well-formed (invalid token) (line 2, column 40)"),
        (GOOD % "&nbsp;", "it is no well-formed XML: undefined entity (line 2, column 40)"),
        (GOOD % "\ud800", "it holds characters that can't stand in XML"),
        ("all mail of Eve", "it is no well-formed XML: syntax error (line 1, column 1)"),
        ("<xmlquery>", "it is no well-formed XML: no element found (line 1, column 11)"),
        ("<xmlquery/>\n<xmlquery/>", "it is no well-formed XML: junk after document element (line 2, column 1)"),
        ("<muse/>", "its root element is <muse>, but an archive query's is <xmlquery>"),
        ("<!DOCTYPE xmlquery><xmlquery/>", "a document type (DOCTYPE) or entities are not allowed in it"),
        (
            '<!DOCTYPE q [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xmlquery>&b;</xmlquery>',
            "a document type (DOCTYPE) or entities are not allowed in it",
        ),
        (
            '<!DOCTYPE q SYSTEM "file:///etc/passwd"><xmlquery/>',
            "a document type (DOCTYPE) or entities are not allowed in it",
        ),
    ],
)
def test_a_query_that_cannot_be_sent_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_query(text)
    assert str(caught.value) == why
