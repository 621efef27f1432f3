"""The connector's rules and the architecture's invariants, each under its own name."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devkit.mimecast.faults import Fault
from devkit.mimecast.mail import AttachedFile, Odd
from MimecastAlert import build_events
from MimecastConnectorState import (
    DAMAGED_STATE_KEY,
    DELIVERED_KEY,
    HASH_CHARS,
    STATE_KEY,
    ConnectorState,
    load_state,
    row_hash,
)
from tests.connector.mails import attachment, held_mail, held_mails
from tests.connector.world import START, Killed, World

SEARCH = "/api/message-finder/search"
DETAILS = "/api/message-finder/get-message-info"
HOLD = "/api/gateway/get-hold-message-list"
FILES = "/api/gateway/message/get-message-detail"
FILE = "/api/gateway/message/get-file"

MINUTE = timedelta(minutes=1)
RECENTLY = START - 10 * MINUTE


def ids(world: World) -> set[str]:
    return {row.tracking_id for row in world.tenant.rows()}


def drain(world: World, cycles: int = 12) -> None:
    """Run cycles, a minute apart, until nothing more comes."""
    for _ in range(cycles):
        result = world.cycle()
        assert result.packages == 1
        world.time.sleep(60)


# --- invariants ------------------------------------------------------------------------------------------------------


def test_exactly_once_for_a_message_found_by_from_and_by_to() -> None:
    world = World()
    world.tenant.add(held_mail(RECENTLY, sender="a@corp.example", recipients=["b@corp.example"], route="internal"))
    drain(world, 4)
    assert len(world.tickets()) == 1


def test_exactly_once_for_domains_that_share_messages() -> None:
    world = World(Domains="corp.example, second.example")
    world.tenant.add(*held_mails(30, RECENTLY, sender="a@second.example", recipients=["b@corp.example"]))
    drain(world, 3)
    assert sorted(world.tickets()) == sorted(ids(world))


def test_each_recipient_of_a_mail_has_an_alert_and_all_are_grouped() -> None:
    world = World()
    world.tenant.add(held_mail(RECENTLY, recipients=["a@corp.example", "b@corp.example", "c@corp.example"]))
    alerts = world.cycle().alerts
    assert len({alert["ticket_id"] for alert in alerts}) == 3
    assert len({alert["source_grouping_identifier"] for alert in alerts}) == 1


def test_a_row_is_seen_when_its_alert_is_in_the_package_or_it_was_filtered_on_purpose() -> None:
    world = World(Lowest_Risk_To_Fetch="medium", Max_Messages_To_Return="1")
    (low,) = world.tenant.add(held_mail(RECENTLY, verdict={"risk": "low"}))
    (high,) = world.tenant.add(held_mail(RECENTLY + MINUTE, verdict={"risk": "high"}))
    (later,) = world.tenant.add(held_mail(RECENTLY + 2 * MINUTE, verdict={"risk": "high"}))
    assert world.cycle().tickets == [high.tracking_id]
    state = load_state(world.memory.context[STATE_KEY])
    assert set(state.seen) == {row_hash(high.tracking_id), row_hash(f"held\n{low.tracking_id}")}
    assert row_hash(later.tracking_id) not in state.seen


def test_checkpoint_never_passes_an_unfinished_row() -> None:
    world = World(now=START, Max_Messages_To_Return="2", Max_Hours_Backwards="24")
    mails = held_mails(7, START - timedelta(hours=20), timedelta(hours=2))
    world.tenant.add(*mails)
    for done in (2, 4, 6):
        assert len(world.cycle().alerts) <= 2
        checkpoint = load_state(world.memory.context[STATE_KEY]).checkpoint
        assert checkpoint is not None
        assert checkpoint <= mails[done].received
    assert len(world.cycle().alerts) == 1
    assert sorted(world.tickets()) == sorted(ids(world))


def test_work_cut_off_by_the_limit_goes_on_without_asking_again_for_what_is_done() -> None:
    world = World(Max_Messages_To_Return="10")
    world.tenant.add(*held_mails(25, RECENTLY))
    requested = [world.cycle().requests[DETAILS] for _ in range(4)]
    assert requested == [10, 10, 5, 0]
    assert sorted(world.tickets()) == sorted(ids(world))


def test_work_cut_off_by_the_deadline_goes_on_next_cycle() -> None:
    world = World(PythonProcessTimeout="10")
    world.tenant.latency_s = 0.5
    world.tenant.add(*held_mails(30, RECENTLY))
    results = [world.cycle() for _ in range(10)]
    assert all(result.seconds <= 10 for result in results)
    assert "the time for this" in results[0].log.text("warn").lower()
    assert sorted(world.tickets()) == sorted(ids(world))


@pytest.mark.parametrize("oauth", [False, True])
def test_one_bad_row_hurts_itself_only_and_is_ingested_from_its_row_after_three_cycles(oauth: bool) -> None:
    world = World(oauth=oauth)
    world.tenant.add(*held_mails(5, RECENTLY))
    (bad,) = world.tenant.add(held_mail(RECENTLY, odd=Odd(details_missing=True), subject="Unreadable"))
    first = world.cycle()
    assert len(first.alerts) == 5
    assert bad.tracking_id not in first.tickets
    assert world.cycle().alerts == []
    (alert,) = world.cycle().alerts
    assert alert["ticket_id"] == bad.tracking_id
    event = alert["events"][0]
    assert (event["details_unavailable"], event["subject"]) == (True, "Unreadable")
    assert event["held_id"] == bad.held_id
    assert world.cycle().alerts == []


def test_a_message_that_hangs_is_ingested_from_its_row_in_the_end_and_holds_up_no_other() -> None:
    world = World()
    world.tenant.add(*held_mails(20, RECENTLY))
    (slow,) = world.tenant.add(held_mail(RECENTLY - MINUTE))
    world.tenant.fault(Fault("slow", path=DETAILS, contains=slow.tracking_id, times=None, seconds=1000))
    drain(world, 6)
    assert sorted(world.tickets()) == sorted(ids(world))
    marked = [alert for alert in world.memory.alerts if alert["events"][0]["details_unavailable"]]
    assert [alert["ticket_id"] for alert in marked] == [slow.tracking_id]


@pytest.mark.parametrize("hours", [3, 30, 24 * 28])
def test_an_outage_of_any_length_loses_nothing_though_max_hours_backwards_is_1(hours: int) -> None:
    world = World(now=START)
    world.cycle()
    world.tenant.add(*held_mails(12, START + MINUTE, timedelta(hours=hours) / 13))
    world.time.sleep(3600 * hours)
    drain(world, 3)
    assert sorted(world.tickets()) == sorted(ids(world))


def test_search_never_starts_30_days_ago_or_earlier() -> None:
    world = World(Max_Hours_Backwards="720")
    (row,) = world.tenant.add(held_mail(START - timedelta(days=28, hours=23)))
    result = world.cycle()
    assert result.tickets == [row.tracking_id]
    assert "29 days" in result.log.text("warn")
    world.time.sleep(86400 * 40)
    result = world.cycle()
    assert result.packages == 1
    assert not result.log.text("error")


@pytest.mark.parametrize("late", [5, 30, 60])
def test_a_message_that_becomes_searchable_late_is_still_ingested(late: int) -> None:
    world = World()
    world.cycle()
    world.tenant.add(held_mail(START, indexed_at=START + late * MINUTE))
    for _ in range(late + 2):
        world.time.sleep(60)
        world.cycle()
    assert sorted(world.tickets()) == sorted(ids(world))


def test_state_grows_with_the_window_not_with_time() -> None:
    world = World()
    sizes = []
    for _ in range(60):
        world.tenant.add(*held_mails(5, world.time.now - MINUTE))
        world.cycle()
        sizes.append(len(world.memory.context[STATE_KEY]))
        world.time.sleep(600)
    assert max(sizes[30:]) <= max(sizes[:30])
    assert sorted(world.tickets()) == sorted(ids(world))


def test_state_is_far_below_the_platforms_limit_at_50_000_rows_a_window() -> None:
    state = ConnectorState(checkpoint=START)
    for number in range(50_000):
        state.mark_seen(row_hash(f"eN{number}"), START + (number % 60) * MINUTE)
    text = state.dump()
    assert len(text) < 800_000
    assert load_state(text) == state


def test_test_run_gives_one_alert_at_most_and_writes_nothing() -> None:
    world = World()
    world.tenant.add(*held_mails(40, RECENTLY))
    result = world.cycle(test_run=True)
    assert len(result.alerts) == 1
    assert world.memory.context == {}
    assert sum(result.requests.values()) <= 4
    assert len(world.cycle().alerts) == 40


def test_test_run_looks_at_few_messages_though_none_passes() -> None:
    world = World(Lowest_Risk_To_Fetch="high", Ingest_Messages_Without_Risk="false")
    world.tenant.add(*held_mails(40, RECENTLY))
    result = world.cycle(test_run=True)
    assert result.alerts == []
    assert result.requests[DETAILS] == 10


# --- the search ------------------------------------------------------------------------------------------------------


def test_an_idle_cycle_makes_its_searches_only() -> None:
    world = World(Domains="corp.example,second.example")
    world.tenant.add(*held_mails(8, RECENTLY))
    world.cycle()
    world.time.sleep(60)
    assert world.cycle().requests == {SEARCH: 4}


def test_searches_of_an_oauth_cycle_share_one_token() -> None:
    world = World(oauth=True)
    world.tenant.add(*held_mails(8, RECENTLY))
    assert world.cycle().requests["/oauth/token"] == 1


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("cap", [100, 250, 500, 999, 1000])
def test_replies_that_are_cut_off_are_split_until_they_are_whole(cap: int, order: Any) -> None:
    world = World(Max_Messages_To_Return="5000")
    world.tenant.search_cap, world.tenant.search_order = cap, order
    world.tenant.add(*held_mails(1100, START - 55 * MINUTE, timedelta(seconds=3)))
    result = world.cycle()
    assert sorted(result.tickets) == sorted(ids(world))
    splitting = result.requests[SEARCH] - 2
    assert splitting <= 0.05 * result.requests[DETAILS]


@pytest.mark.sweep
def test_20_000_messages_in_a_window_come_exactly_once() -> None:
    world = World(Max_Messages_To_Return="25000", Max_Hours_Backwards="12", PythonProcessTimeout="100000")
    world.tenant.search_cap = 1000
    world.tenant.add(*held_mails(20_000, START - timedelta(hours=11), timedelta(seconds=1.9)))
    result = world.cycle()
    assert sorted(result.tickets) == sorted(ids(world))
    assert result.requests[SEARCH] <= 0.05 * 20_000
    assert len(world.memory.context[STATE_KEY]) < 3_000_000
    assert world.cycle().alerts == []


def test_a_burst_in_one_minute_that_cannot_be_split_is_reported() -> None:
    world = World(Max_Messages_To_Return="500")
    world.tenant.search_cap = 100
    world.tenant.add(*held_mails(150, RECENTLY, timedelta(milliseconds=100)))
    result = world.cycle()
    assert 100 <= len(result.alerts) < 150
    assert "looks cut off" in result.log.text("error")


def test_a_backlog_is_searched_no_further_than_the_limit_needs() -> None:
    world = World(Max_Messages_To_Return="100", Max_Hours_Backwards="10")
    world.tenant.search_cap = 250
    world.tenant.add(*held_mails(5000, START - timedelta(hours=9), timedelta(seconds=6)))
    first = world.cycle()
    assert first.requests[SEARCH] <= 6
    drain(world, 60)
    assert sorted(world.tickets()) == sorted(ids(world))
    details = world.tenant.count(DETAILS)
    assert details == 5000


def test_checkpoint_never_passes_a_part_of_the_window_that_was_not_searched() -> None:
    world = World(Max_Messages_To_Return="60", Max_Hours_Backwards="10")
    world.tenant.search_cap = 100
    groups = [held_mails(60, START - timedelta(hours=hours)) for hours in (9, 5, 2)]
    for group in groups:
        world.tenant.add(*group)
    for done in (1, 2):
        assert len(world.cycle().alerts) == 60
        checkpoint = load_state(world.memory.context[STATE_KEY]).checkpoint
        assert checkpoint is not None
        assert checkpoint <= groups[done][0].received
    assert len(world.cycle().alerts) == 60
    assert sorted(world.tickets()) == sorted(ids(world))


def test_one_domain_that_cannot_be_searched_costs_the_others_nothing() -> None:
    world = World(Domains="corp.example,broken.example")
    world.tenant.add(*held_mails(5, RECENTLY))
    world.tenant.fault(Fault("500", path=SEARCH, contains="broken.example", times=None))
    for _ in range(3):
        result = world.cycle()
        assert "A search failed" in result.log.text("error")
        world.time.sleep(7200)
    (missed,) = world.tenant.add(held_mail(START + MINUTE, recipients=["x@broken.example"]))
    world.tenant.faults.clear()
    assert world.cycle().tickets == [missed.tracking_id]
    assert sorted(world.tickets()) == sorted(ids(world))


# --- filters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Status_Filter": "bounced"}, {"bounced"}),
        ({"Status_Filter": ""}, {"held", "bounced", "outbound", "risky", "reasoned"}),
        ({"Status_Filter": "HELD, bounced", "Route_Filter": "Outbound"}, {"outbound"}),
        ({"Lowest_Risk_To_Fetch": "Medium", "Ingest_Messages_Without_Risk": "false"}, {"risky"}),
        ({"Lowest_Risk_To_Fetch": "Medium"}, {"held", "outbound", "risky", "reasoned"}),
        ({"Queue_Reason_Filter": "fraud ALERT"}, {"reasoned"}),
        (
            {"Status_Filter": "held, nonsense", "Lowest_Risk_To_Fetch": "huge"},
            {"held", "outbound", "risky", "reasoned"},
        ),
    ],
)
def test_filters(parameters: dict[str, str], expected: set[str]) -> None:
    world = World(**parameters)
    names = {}
    for name, changes in {
        "held": {},
        "bounced": {"status": "bounced"},
        "outbound": {"route": "outbound", "sender": "o@corp.example", "recipients": ["x@out.example"]},
        "risky": {"verdict": {"risk": "High"}},
        "reasoned": {"queue_reason": "Fraud Alert"},
    }.items():
        (row,) = world.tenant.add(held_mail(RECENTLY, **changes))
        names[row.tracking_id] = name
    assert {names[ticket] for ticket in world.cycle().tickets} == expected
    assert {names[ticket] for ticket in world.cycle().tickets} == set()


@pytest.mark.parametrize(("as_block_list", "expected"), [("true", ["other"]), ("false", ["listed"])])
def test_dynamic_list_works_on_the_rows_info(as_block_list: str, expected: list[str]) -> None:
    world = World(Use_whitelist_as_a_blacklist=as_block_list)
    (listed,) = world.tenant.add(held_mail(RECENTLY, info="Message Hold Applied - Spam"))
    (other,) = world.tenant.add(held_mail(RECENTLY, info="Message Hold Applied - Policy"))
    names = {listed.tracking_id: "listed", other.tracking_id: "other"}
    result = world.cycle(whitelist=["Message Hold Applied - Spam"])
    assert [names[ticket] for ticket in result.tickets] == expected


def test_a_message_put_on_hold_after_all_is_ingested() -> None:
    world = World()
    (row,) = world.tenant.add(held_mail(RECENTLY, status="processing"))
    assert world.cycle().alerts == []
    world.tenant.set_status(row.tracking_id, "held")
    assert world.cycle().tickets == [row.tracking_id]


def test_priority_follows_the_risk_and_unknown_risk_is_informational() -> None:
    world = World()
    expected = {}
    for risk, priority in {"negligible": -1, "LOW": 40, "Medium": 60, "high": 80, "": -1, "weird": -1}.items():
        (row,) = world.tenant.add(held_mail(RECENTLY, verdict={"risk": risk} if risk else None))
        expected[row.tracking_id] = priority
    assert {alert["ticket_id"]: alert["priority"] for alert in world.cycle().alerts} == expected


# --- odd rows --------------------------------------------------------------------------------------------------------

ODD_MAILS = {
    "no recipients": {"odd": Odd(no_to=True)},
    "null blocks": {"odd": Odd(null_blocks=True)},
    "no queue info": {"odd": Odd(no_queue_info=True)},
    "no message id": {"odd": Odd(no_transmission_info=True)},
    "no names": {"odd": Odd(no_names=True)},
    "not in the hold queue": {"odd": Odd(not_in_hold_queue=True)},
    "empty envelope": {"envelope": "<>"},
    "no envelope": {"envelope": None},
    "unknown status": {"odd": Odd(tracked={"status": "quarantined"})},
    "null everything": {
        "odd": Odd(tracked=dict.fromkeys(("to", "fromEnv", "fromHdr", "subject", "route", "info", "senderIP")))
    },
    "wrong types": {
        "odd": Odd(tracked={"subject": 7, "to": "x", "fromEnv": [], "spamScore": "high", "received": 12, "info": {}})
    },
    "details of wrong types": {
        "odd": Odd(details={"recipientInfo": "x", "queueInfo": [1], "spamInfo": 3, "deliveredMessage": ["a"]})
    },
    "lone surrogate": {"odd": Odd(tracked={"subject": "bad \ud800 text"})},
}


@pytest.mark.parametrize("name", ODD_MAILS)
def test_an_odd_row_is_ingested_once_and_hurts_no_other(name: str) -> None:
    world = World(Status_Filter="")
    world.tenant.add(*held_mails(3, RECENTLY))
    changes: dict[str, Any] = ODD_MAILS[name]
    (odd,) = world.tenant.add(held_mail(RECENTLY, **changes))
    drain(world, 5)
    assert sorted(world.tickets()) == sorted(ids(world))
    (alert,) = [alert for alert in world.memory.alerts if alert["ticket_id"] == odd.tracking_id]
    assert alert["events"]
    assert alert["rule_generator"]
    assert alert["source_grouping_identifier"]
    assert isinstance(alert["start_time"], int)


def test_a_row_without_an_id_is_ingested_once() -> None:
    world = World()
    world.tenant.add(held_mail(RECENTLY, odd=Odd(tracked={"id": None})))
    drain(world, 6)
    assert len(world.tickets()) == 1
    assert world.memory.alerts[0]["events"][0]["details_unavailable"] is True


# --- hold queue ------------------------------------------------------------------------------------------------------


def test_held_id_and_hold_reason_are_on_each_held_messages_events() -> None:
    world = World()
    rows = {row.tracking_id: row for row in world.tenant.add(*held_mails(30, RECENTLY))}
    alerts = world.cycle().alerts
    assert len(alerts) == 30
    for alert in alerts:
        event = alert["events"][0]
        assert event["held_id"] == rows[alert["ticket_id"]].held_id
        assert event["hold_reason"]


def test_hold_queue_is_read_by_pages_once_and_matched_for_40_mails_in_one_second() -> None:
    world = World()
    world.tenant.page_ceiling = 25
    rows = {
        row.tracking_id: row
        for row in world.tenant.add(*held_mails(40, RECENTLY, timedelta(0), recipients=["m@corp.example"]))
    }
    result = world.cycle()
    assert result.requests[HOLD] == 2
    assert {a["ticket_id"]: a["events"][0]["held_id"] for a in result.alerts} == {
        tracking_id: row.held_id for tracking_id, row in rows.items()
    }


def test_an_uncertain_match_attaches_nothing_and_says_so() -> None:
    world = World()
    twin = {
        "sender": "a@sender.example",
        "recipients": ["m@corp.example"],
        "subject": "Same",
        "attachments": [attachment()],
    }
    world.tenant.add(*held_mails(2, RECENTLY, timedelta(seconds=20), **twin))
    alerts = world.cycle().alerts
    assert len(alerts) == 2
    for alert in alerts:
        assert alert["attachments"] == []
        assert alert["events"][0]["held_id"] == ""
        assert "several messages match" in alert["events"][0]["held_id_unavailable"]


def test_of_two_look_alikes_none_takes_the_only_held_message() -> None:
    world = World()
    twin = {"sender": "a@sender.example", "recipients": ["m@corp.example"], "subject": "Same"}
    world.tenant.add(held_mail(RECENTLY, **twin, odd=Odd(not_in_hold_queue=True)), held_mail(RECENTLY, **twin))
    assert [alert["events"][0]["held_id"] for alert in world.cycle().alerts] == ["", ""]


@pytest.mark.parametrize("kind", ["500", "html", "torn"])
def test_while_the_hold_queue_cannot_be_had_alerts_come_without_it_and_say_so(kind: Any) -> None:
    world = World()
    world.tenant.add(*held_mails(3, RECENTLY, attachments=[attachment()]))
    world.tenant.fault(Fault(kind, path=HOLD, times=None))
    alerts = world.cycle().alerts
    assert len(alerts) == 3
    assert all("hold queue could not be read" in alert["events"][0]["held_id_unavailable"] for alert in alerts)


# --- attachments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["link", "bytes"])
def test_attachments_of_held_messages_are_on_the_alert(answer: Any) -> None:
    world = World()
    world.tenant.file_answer = answer
    file = attachment(5000, "invoice.pdf")
    world.tenant.add(held_mail(RECENTLY, attachments=[file]))
    (alert,) = world.cycle().alerts
    (attached,) = alert["attachments"]
    assert (attached["name"], attached["type"]) == ("invoice", ".pdf")
    assert base64.b64decode(attached["base64_blob"]) == file.content
    assert not world.tenant.leaked_credentials


@pytest.mark.parametrize(
    "file",
    [
        AttachedFile("page.html", b"<html>hi</html>", "text/html"),
        AttachedFile("rows.json", b'{"rows": [1]}', "application/json"),
        AttachedFile("list.json", b"[1, 2]", "application/json"),
    ],
)
def test_a_file_that_comes_as_bytes_is_not_taken_for_an_answer(file: AttachedFile) -> None:
    world = World()
    world.tenant.file_answer = "bytes"
    world.tenant.add(held_mail(RECENTLY, attachments=[file]))
    (alert,) = world.cycle().alerts
    assert base64.b64decode(alert["attachments"][0]["base64_blob"]) == file.content


def test_downloads_carry_no_credentials_even_through_redirects_to_other_hosts() -> None:
    world = World()
    world.tenant.redirect_host = "files.elsewhere.test"
    world.tenant.add(held_mail(RECENTLY, attachments=[attachment()]))
    (alert,) = world.cycle().alerts
    assert len(alert["attachments"]) == 1
    assert not world.tenant.leaked_credentials


@pytest.mark.parametrize("path", [FILES, FILE, "/download"])
@pytest.mark.parametrize("kind", ["500", "html", "reset", "empty", "torn"])
def test_a_failing_attachment_never_costs_the_alert_and_is_named(path: str, kind: Any) -> None:
    world = World()
    world.tenant.add(held_mail(RECENTLY, attachments=[attachment(name="report.xls")]))
    world.tenant.fault(Fault(kind, path=path, times=None))
    (alert,) = world.cycle().alerts
    assert alert["attachments"] == []
    assert "not available" in alert["events"][0]["attachments_unavailable"]


def test_a_file_that_is_too_large_is_left_out_and_named() -> None:
    world = World()
    world.tenant.add(
        held_mail(RECENTLY, attachments=[attachment(11 * 1024 * 1024, "huge.iso"), attachment(10, "s.txt")])
    )
    (alert,) = world.cycle().alerts
    assert [item["name"] for item in alert["attachments"]] == ["s"]
    assert "huge.iso" in alert["events"][0]["attachments_unavailable"]


def test_attachment_budget_ends_a_cycle_early_and_nothing_is_asked_for_twice() -> None:
    world = World()
    world.tenant.add(*held_mails(20, RECENTLY, attachments=[attachment(5 * 1024 * 1024)]))
    sizes = []
    for _ in range(8):
        result = world.cycle()
        sizes.append(len(json.dumps(result.alerts)))
        assert all(len(alert["attachments"]) == 1 for alert in result.alerts)
        world.time.sleep(60)
    assert max(sizes) < 40_000_000
    assert sorted(world.tickets()) == sorted(ids(world))
    assert world.tenant.count(DETAILS) == world.tenant.count(FILES) == world.tenant.count(FILE) == 20


def test_a_message_larger_than_a_whole_cycles_budget_comes_all_the_same() -> None:
    world = World()
    files = [attachment(9 * 1024 * 1024, f"part{n}.bin") for n in range(4)]
    world.tenant.add(held_mail(RECENTLY, attachments=files), held_mail(RECENTLY + MINUTE))
    drain(world, 3)
    assert sorted(world.tickets()) == sorted(ids(world))
    events = next(a["events"][0] for a in world.memory.alerts if a["attachments"])
    assert "no room left" in events["attachments_unavailable"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\\b\\c.exe", "x\x00y.txt", "\u202egpj.exe", "n" * 400 + ".pdf", "", "...", "a/b.txt"]
)
def test_file_names_do_no_harm(name: str) -> None:
    from MimecastAlert import safe_file_name

    safe = safe_file_name(name)
    assert safe
    assert len(safe) <= 120
    assert not set(safe) & set('/\\:*?"<>|\x00\u202e')
    assert safe.strip(".") == safe


# --- state -----------------------------------------------------------------------------------------------------------


def test_older_states_are_taken_over_as_the_starting_point() -> None:
    world = World()
    rows = world.tenant.add(*held_mails(3, START - 5 * 60 * MINUTE, timedelta(hours=1)))
    world.memory.context = {
        "timestamp": str(int((START - timedelta(hours=5)).timestamp() * 1000)),
        "ids": json.dumps([rows[0].tracking_id]),
    }
    assert sorted(world.cycle().tickets) == sorted(row.tracking_id for row in rows[1:])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', '{"format": 99}', '{"format":1,"checkpoint":"x"}', "\x00"]
)
def test_an_unreadable_state_is_set_aside_and_never_stops_the_connector(text: str) -> None:
    world = World()
    world.tenant.add(*held_mails(3, RECENTLY))
    world.memory.context[STATE_KEY] = text
    result = world.cycle()
    assert len(result.alerts) == 3
    if text:
        assert "damaged" in result.log.text("error")
        assert world.memory.context[DAMAGED_STATE_KEY] == text
    assert world.cycle().alerts == []


def test_a_torn_state_doubles_nothing_that_its_text_still_names() -> None:
    world = World()
    world.tenant.add(*held_mails(20, RECENTLY))
    world.cycle()
    world.cycle()
    text = world.memory.context[STATE_KEY]
    world.memory.context[STATE_KEY] = text[: text.index('"failures"')]
    assert world.cycle().alerts == []
    assert len(world.tickets()) == 20


@pytest.mark.parametrize("applied", [False, True])
def test_a_state_write_that_fails_once_loses_and_doubles_nothing(applied: bool) -> None:
    world = World()
    world.tenant.add(*held_mails(5, RECENTLY))
    calls = []

    def on_write(key: str, write: Any) -> None:
        calls.append(key)
        if len(calls) == 1 and not applied:
            raise OSError("500")
        write()
        if len(calls) == 1:
            raise OSError("500")

    assert len(world.cycle(on_write=on_write).alerts) == 5
    drain(world, 2)
    assert sorted(world.tickets()) == sorted(ids(world))


def test_what_is_stored_decides_when_every_write_seems_to_fail() -> None:
    world = World()
    world.tenant.add(*held_mails(5, RECENTLY))

    def answer_lost(key: str, write: Any) -> None:
        write()
        raise OSError("the answer is lost")

    assert len(world.cycle(on_write=answer_lost).alerts) == 5
    drain(world, 2)
    assert sorted(world.tickets()) == sorted(ids(world))


def test_when_the_state_cannot_be_saved_at_all_no_alert_is_handed_over() -> None:
    world = World()
    world.tenant.add(*held_mails(5, RECENTLY))

    def never(key: str, write: Any) -> None:
        raise OSError("500")

    result = world.cycle(on_write=never)
    assert (result.packages, result.alerts) == (1, [])
    assert "could not be saved" in result.log.text("error")
    drain(world, 2)
    assert sorted(world.tickets()) == sorted(ids(world))


@pytest.mark.parametrize(
    ("key", "applied"), [("timestamp", True), (STATE_KEY, False), (STATE_KEY, True), (DELIVERED_KEY, False)]
)
def test_a_kill_while_the_package_is_handed_over_loses_and_doubles_nothing(key: str, applied: bool) -> None:
    world = World()
    world.tenant.add(*held_mails(3, RECENTLY - 30 * MINUTE))
    world.cycle()
    world.time.sleep(60)
    world.tenant.add(*held_mails(5, RECENTLY))

    def killed(name: str, write: Any) -> None:
        if applied or name != key:
            write()
        if name == key:
            raise Killed

    assert world.cycle(on_write=killed).killed
    drain(world, 2)
    assert sorted(world.tickets()) == sorted(ids(world))


def test_a_first_package_that_is_lost_comes_whole_though_time_has_passed() -> None:
    world = World()
    world.tenant.add(*held_mails(5, START - timedelta(minutes=59)))

    def killed(name: str, write: Any) -> None:
        write()
        if name == STATE_KEY:
            raise Killed

    assert world.cycle(on_write=killed).killed
    world.time.sleep(1800)
    assert sorted(world.cycle().tickets) == sorted(ids(world))


# --- overflow --------------------------------------------------------------------------------------------------------


def test_alerts_refused_by_the_overflow_policy_come_later_and_hold_up_no_other_rule() -> None:
    world = World()
    world.tenant.add(*held_mails(30, RECENTLY, queue_reason="Storm"))
    world.tenant.add(*held_mails(3, RECENTLY + MINUTE, queue_reason="Quiet"))
    first = world.cycle(overflow_limit=10)
    assert sum(alert["rule_generator"] == "Quiet" for alert in first.alerts) == 3
    assert len(first.alerts) == 13
    second = world.cycle(overflow_limit=0)
    assert second.alerts == []
    assert second.requests[DETAILS] <= world.workers, "a full rule is tried by the workers once, not by each message"
    for _ in range(3):
        world.cycle(overflow_limit=10)
    assert sorted(world.tickets()) == sorted(ids(world))


# --- events ----------------------------------------------------------------------------------------------------------


def test_events_have_the_same_keys_for_both_credentials_and_hold_nothing_but_scalars() -> None:
    keys = []
    for oauth in (False, True):
        world = World(oauth=oauth)
        world.tenant.add(held_mail(RECENTLY, attachments=[attachment()], verdict={"risk": "low", "categories": []}))
        (alert,) = world.cycle().alerts
        assert all(isinstance(v, (str, int, float, bool)) for event in alert["events"] for v in event.values())
        keys.append([sorted(event) for event in alert["events"]])
    assert keys[0] == keys[1]


def test_every_mapping_rules_term_is_in_real_events(package_root: Any) -> None:
    world = World()
    world.tenant.add(
        held_mail(RECENTLY, attachments=[attachment()], text="see https://evil.example/x now", verdict={"risk": "low"})
    )
    (alert,) = world.cycle().alerts
    rules = json.loads((package_root / "DefaultMappingRules/integration_mapping_rules.json").read_text())
    assert {
        "StartTime",
        "EndTime",
        "SourceUserName",
        "DestinationUserName",
        "EmailSubject",
        "FileHash",
        "FileName",
        "SourceAddress",
        "DestinationURL",
    } <= {rule["SecurityEventFieldName"] for rule in rules}
    for rule in rules:
        events = [e for e in alert["events"] if rule["EventName"] in (None, e["event_type"])]
        assert events, rule
        assert rule["Product"] == events[0]["Product Name"]
        assert any(event.get(rule["RawDataPrimaryFieldMatchTerm"]) not in (None, "") for event in events), rule


def test_log_of_a_cycle_is_short_whatever_happens() -> None:
    world = World(Max_Messages_To_Return="500")
    world.tenant.add(*held_mails(500, RECENTLY, odd=Odd(details_missing=True)))
    assert len(world.cycle().log.rows) < 60


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't change the zone of a running process")
def test_times_do_not_depend_on_the_hosts_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    seen = []
    for zone in ("America/New_York", "Asia/Kolkata", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        world = World()
        world.tenant.add(held_mail(RECENTLY, message_id="<z@x>", sender="z@x.example"))
        (alert,) = world.cycle().alerts
        state = load_state(world.memory.context[STATE_KEY])
        seen.append((alert["start_time"], alert["events"][0]["received_time_utc"], state.checkpoint))
    monkeypatch.delenv("TZ")
    time.tzset()
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == int(RECENTLY.timestamp() * 1000)


def test_hash_is_short_and_stable() -> None:
    assert row_hash("eNabc") == row_hash("eNabc") != row_hash("eNabd")
    assert len(row_hash("x")) == HASH_CHARS


def test_build_events_of_a_message_without_anything() -> None:
    from MimecastAlert import IngestedMessage
    from MimecastModels import TRACKED_MESSAGE

    message = IngestedMessage(TRACKED_MESSAGE.validate_python({}), None)
    (event,) = build_events(message, datetime(2026, 1, 1, tzinfo=UTC), "Product Name")
    assert event["details_unavailable"] is True
    assert event["tracking_id"].startswith("no-id-")
