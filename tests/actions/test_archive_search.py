"""Both archive searches: what is asked, how many pages are read, and what the analyst gets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml import ElementTree

from devkit.platform.results import ActionRun
from MimecastArchive import MAX_PAGES

from .support import ARCHIVE, COMPLETED, FAILED, NOW, Desk, archived_mail, good, held_mail, minutes

FOUND = "Successfully found archive emails for the provided criteria in Mimecast."
NOTHING = "No archive emails were found for the provided criteria in Mimecast."
SAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "archive-search-rows.json").read_text(encoding="utf-8")
)
QUERY = '<xmlquery trace="iql,muse"><metadata query-type="emailarchive"/><muse/></xmlquery>'
STEMS = ["simple_archive_search", "advanced_archive_search"]


def search(desk: Desk, stem: str = "simple_archive_search", **parameters: str) -> ActionRun:
    given = {name.replace("_", " "): value for name, value in parameters.items()}
    if stem == "advanced_archive_search":
        given.setdefault("XML Query", QUERY)
    return desk.run(stem, given)


def query(desk: Desk) -> Element:
    """The query of the last request."""
    item = desk.bodies[-1]["data"][0]
    assert item["admin"] is True
    root: Element = ElementTree.fromstring(item["query"])
    return root


def texts(root: Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path)]


def cells(run: ActionRun) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(run.tables["Results"]), newline="")))


def pages_of(rows: list[Any], size: int, *, total: int | None = None, shape: str = "flat") -> Callable[..., Any]:
    """A canned archive of many rows; the page's token is its number."""

    def answer(request: Any) -> Any:
        pagination = json.loads(request.body).get("meta", {}).get("pagination", {})
        start = int(pagination.get("pageToken", "0"))
        more: dict[str, Any] = {} if total is None else {"totalCount": total}
        if start + size < len(rows):
            more["next"] = str(start + size)
        page = rows[start : start + size]
        return good(*([{"items": page}] if shape == "items" else page), **more)

    return answer


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("shape", ["items", "flat"])
def test_what_is_found_comes_as_mimecasts_own_rows_and_as_a_table(stem: str, shape: Any) -> None:
    desk = Desk(archived_mail(1), archived_mail(2, received=NOW - minutes(5)), held_mail(3), archive_shape=shape)
    run = search(desk, stem)
    assert (run.execution_state, run.result_value, run.message) == (COMPLETED, True, FOUND)
    assert desk.calls == [ARCHIVE]
    assert [row["subject"] for row in run.json_result] == ["Mail 2", "Mail 1"]  # newest first
    assert cells(run)[0] == list(run.json_result[0])
    assert len(cells(run)) == 3


@pytest.mark.parametrize("stem", STEMS)
def test_recorded_rows_come_through_unchanged(stem: str) -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = good({"items": SAMPLES, "queryDuration": 12}, pageSize=2)
    run = search(desk, stem)
    assert run.json_result == SAMPLES
    assert cells(run)[0] == [
        "size",
        "attachmentcount",
        "subject",
        "displayfrom",
        "id",
        "smash",
        "displayto",
        "receiveddate",
        "status",
    ]


def test_the_result_is_the_same_text_under_every_sdk() -> None:
    desk = Desk()
    rows = [{"subject": 'Grüße, "Ann"', "size": 1, "attachmentcount": None}, {"displayto": ["a", "b"], "ok": True}]
    desk.canned[ARCHIVE] = good(*rows)
    run = search(desk)
    assert run.result_object["JsonResult"]["RawJson"] == (
        '[{"subject": "Grüße, \\"Ann\\"", "size": 1, "attachmentcount": null}, {"displayto": ["a", "b"], "ok": true}]'
    )
    assert run.tables == {
        "Results": [
            "subject,size,attachmentcount,displayto,ok",
            '"Grüße, ""Ann""",1,,,',
            ',,,"[""a"", ""b""]",true',
        ]
    }
    assert set(run.result_object) == {"JsonResult", "Results_None"}


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize(
    "answer",
    [
        good(),
        good({"items": []}),
        good({"items": None, "queryDuration": 3}),
        good({"queryDuration": 3}),
        good("no object", 4),
    ],
)
def test_nothing_found_is_a_success_with_an_empty_result(stem: str, answer: Any) -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = answer
    run = search(desk, stem)
    assert (run.execution_state, run.result_value, run.message) == (COMPLETED, True, NOTHING)
    assert (run.json_result, run.tables) == ([], {})


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("answer", [{"meta": {"status": 200}, "fail": []}, {"meta": {"status": 200}, "data": None}])
def test_an_answer_without_data_is_not_taken_for_nothing_found(stem: str, answer: Any) -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = answer
    run = search(desk, stem)
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert run.message.endswith("Reason: Mimecast's answer to the search holds no data.")


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "sizes", "count"), [("", [50], 50), ("7", [7], 7), ("100", [100], 100), ("101", [100, 100], 101)]
)
def test_pages_are_read_only_as_far_as_the_limit_needs(limit: str, sizes: list[int], count: int) -> None:
    desk = Desk(*(archived_mail(number) for number in range(250)))
    run = search(desk, Max_Emails_To_Return=limit)
    assert run.execution_state == COMPLETED, run.message
    assert run.message == FOUND
    assert len(run.json_result) == count
    assert len(desk.calls) == len(sizes)
    assert query(desk).find("metadata").get("page-size") == str(sizes[0])  # type: ignore[union-attr]


@pytest.mark.parametrize("stem", STEMS)
def test_all_pages_are_read_with_the_token_of_each_and_nothing_is_lost_or_doubled(stem: str) -> None:
    desk = Desk(*(archived_mail(number) for number in range(250)))
    run = search(desk, stem, **({"Max_Emails_To_Return": "1000"} if stem == STEMS[0] else {}))
    assert {row["subject"] for row in run.json_result} == {f"Mail {number}" for number in range(250)}
    assert len(run.json_result) == 250
    tokens = [body.get("meta", {}).get("pagination", {}).get("pageToken") for body in desk.bodies]
    assert tokens[0] is None
    assert len(set(tokens)) == len(tokens)
    assert all("pageSize" not in str(body.get("meta")) for body in desk.bodies)  # the query itself says it


def test_an_advanced_query_goes_out_as_it_was_written_and_its_page_size_counts() -> None:
    desk = Desk(*(archived_mail(number) for number in range(7)))
    text = (
        '<?xml version="1.0"?>\n<xmlquery trace="iql,muse">\n  <metadata query-type="emailarchive" archive="true" '
        'active="false" page-size="3" startrow="0"/>\n  <muse><text><![CDATA[subject: Mail]]></text>'
        "<!-- é &amp; --></muse>\n</xmlquery>"
    )
    run = search(desk, "advanced_archive_search", **{"XML Query": f"\n {text} \n"})
    assert run.execution_state == COMPLETED, run.message
    assert len(run.json_result) == 7
    assert [body["data"][0]["query"] for body in desk.bodies] == [text] * 3


@pytest.mark.parametrize("stem", STEMS)
def test_a_page_token_that_comes_twice_stops_the_search_with_an_error(stem: str) -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = good({"id": "1"}, next="again")
    run = search(desk, stem)
    assert run.execution_state == FAILED
    assert "Mimecast repeats a page token" in run.message
    assert len(desk.calls) == 2


@pytest.mark.parametrize("stem", STEMS)
def test_the_number_of_pages_has_an_upper_bound_and_the_message_says_so(stem: str) -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = pages_of([{"id": str(number)} for number in range(300)], 2)
    run = search(desk, stem, **({"Max_Emails_To_Return": str(10**9)} if stem == STEMS[0] else {}))
    assert len(desk.calls) == MAX_PAGES
    assert len(run.json_result) == 2 * MAX_PAGES
    assert run.message == (
        f"{FOUND} Only the first 200 of more than 200 are shown: a result holds 15 MB at most, and a run reads 100 "
        "pages at most. Narrow the search to get the others."
    )


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("total", [None, 40])
def test_a_result_stays_below_the_platforms_15_mb_and_says_how_many_are_shown(stem: str, total: int | None) -> None:
    big = {"subject": 'ü"' * 100_000, "displayfrom": "Eve"}  # 1 MB as result and 1 MB as table
    desk = Desk()
    desk.canned[ARCHIVE] = pages_of([big] * 40, 4, total=total, shape="items")
    run = search(desk, stem, **({"Max_Emails_To_Return": "40"} if stem == STEMS[0] else {}))
    assert run.execution_state == COMPLETED
    shown = len(run.json_result)
    assert shown == 7
    assert f"Only the first {shown} of {total or 'more than 16'} are shown: a result holds 15 MB" in run.message
    assert len(run.tables["Results"]) == shown + 1
    assert len(desk.calls) == 4  # the fourth page makes it longer than 15 MB even without the table


def test_a_result_of_one_page_that_is_too_large_is_cut_too() -> None:
    desk = Desk()
    desk.canned[ARCHIVE] = good(*[{"subject": "x" * 1_000_000}] * 10)
    run = search(desk)
    assert run.execution_state == COMPLETED
    assert len(run.json_result) == 7
    assert "Only the first 7 of 10 are shown" in run.message


# --- criteria --------------------------------------------------------------------------------------------------------


def test_criteria_reach_mimecast_and_narrow_the_result() -> None:
    desk = Desk(
        archived_mail(1, subject="Invoice 4711"),
        archived_mail(2, subject="Invoice 4712", sender="bob@sender.example"),
        archived_mail(3, subject="Invoice 4713", recipients=["ben@corp.example"]),
        archived_mail(4, subject="Holiday"),
        archived_mail(5, subject="Invoice 4714", received=NOW - minutes(90)),
    )
    run = search(desk, From="eve@sender.example", To="Ann Lee <ann@corp.example>", Subject="invoice")
    assert [row["subject"] for row in run.json_result] == ["Invoice 4711"]
    assert [(each.get("select"), each.text) for each in query(desk).iterfind("muse/sent")] == [
        ("from", "eve@sender.example"),
        ("to", "ann@corp.example"),
    ]


def test_any_of_several_addresses_will_do() -> None:
    senders = ["eve@sender.example", "bob@sender.example", "kim@sender.example"]
    desk = Desk(*(archived_mail(number, sender=sender) for number, sender in enumerate(senders)))
    run = search(desk, From=" eve@sender.example ,\n, kim@sender.example,eve@sender.example")
    assert texts(query(desk), "muse/text") == ["from:eve@sender.example or from:kim@sender.example"]
    assert {row["displayfromaddress"] for row in run.json_result} == {"eve@sender.example", "kim@sender.example"}


@pytest.mark.parametrize("given", ["sender.example", "@sender.example"])
def test_a_domain_stands_for_all_of_its_addresses(given: str) -> None:
    desk = Desk(archived_mail(1), archived_mail(2, sender="bob@elsewhere.example"))
    run = search(desk, From=given)
    assert [row["subject"] for row in run.json_result] == ["Mail 1"]


def test_mailboxes_narrow_the_search() -> None:
    desk = Desk(archived_mail(1), archived_mail(2, recipients=["ben@corp.example"]))
    run = search(desk, Mailboxes="ben@corp.example, kim@corp.example")
    assert texts(query(desk), "metadata/mailboxes/mailbox") == ["ben@corp.example", "kim@corp.example"]
    assert [row["subject"] for row in run.json_result] == ["Mail 2"]


def test_fields_may_be_written_as_public_playbooks_do_with_line_breaks_and_empty_items() -> None:
    desk = Desk(archived_mail(1))
    run = search(desk, Fields_To_Return="subject,\n size , ,\r\nid,\nsubject,")
    assert texts(query(desk), "metadata/return-fields/return-field") == ["subject", "size", "id"]
    assert set(run.json_result[0]) == {"subject", "size", "id"}


@pytest.mark.parametrize("subject", ["a & b", "<b>", "]]>", "<![CDATA[x]]>", 'it\'s "so"', "Grüße 日本"])
def test_any_subject_is_searched_for_as_it_is(subject: str) -> None:
    desk = Desk(archived_mail(1, subject=f"Re: {subject} again"), archived_mail(2))
    run = search(desk, Subject=subject)
    assert [row["subject"] for row in run.json_result] == [f"Re: {subject} again"]


@pytest.mark.parametrize(
    ("parameters", "start", "end"),
    [
        ({"Time Frame": "Last Hour"}, "2026-03-11T11:00:00Z", "2026-03-11T12:00:00Z"),
        ({"Time Frame": "last 6 hours"}, "2026-03-11T06:00:00Z", "2026-03-11T12:00:00Z"),
        ({"Time Frame": "Last 24 Hours"}, "2026-03-10T12:00:00Z", "2026-03-11T12:00:00Z"),
        ({"Time Frame": "Last Week"}, "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
        ({"Time Frame": "Last Month"}, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ({"Time Frame": "Last Hour", "Start Time": "nonsense"}, "2026-03-11T11:00:00Z", "2026-03-11T12:00:00Z"),
        ({"Time Frame": "Custom", "Start Time": "2026-03-01T08:00"}, "2026-03-01T08:00:00Z", "2026-03-11T12:00:00Z"),
        (
            {"Time Frame": "Custom", "Start Time": "2026-03-01T08:00+09:00", "End Time": "2026-03-01T01:00:00+0100"},
            "2026-02-28T23:00:00Z",
            "2026-03-01T00:00:00Z",
        ),
    ],
)
def test_each_time_frame_is_sent_in_utc(parameters: dict[str, str], start: str, end: str) -> None:
    desk = Desk()
    run = desk.run("simple_archive_search", parameters)
    assert run.execution_state == COMPLETED, run.message
    date = query(desk).find("muse/date")
    assert date is not None
    assert (date.get("select"), date.get("from"), date.get("to")) == ("between", start, end)


def test_the_end_that_was_left_out_is_the_present_with_its_seconds() -> None:
    desk = Desk(now=datetime(2026, 3, 11, 12, 34, 56, 789, tzinfo=UTC))
    desk.run("simple_archive_search", {"Time Frame": "Custom", "Start Time": "2026-03-11T12:34:56Z"})
    date = query(desk).find("muse/date")
    assert date is not None
    assert (date.get("from"), date.get("to")) == ("2026-03-11T12:34:56Z", "2026-03-11T12:34:56Z")
