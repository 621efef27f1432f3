"""No request more than is needed: a cycle's requests are counted where they arrive."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from MimecastWorkers import WORKERS
from tests.connector.mails import attachment, held_mail, held_mails
from tests.connector.world import START, World

SEARCH = "/api/message-finder/search"
DETAILS = "/api/message-finder/get-message-info"
HOLD_LIST = "/api/gateway/get-hold-message-list"
HELD_DETAIL = "/api/gateway/message/get-message-detail"
HELD_FILE = "/api/gateway/message/get-file"
TOKEN = "/oauth/token"
RECENTLY = START - timedelta(minutes=50)
PAGE = 100


@pytest.mark.parametrize("known", [0, 20])
@pytest.mark.parametrize("domains", [1, 5])
@pytest.mark.parametrize("oauth", [False, True])
def test_an_idle_cycle_searches_each_domain_both_ways_and_does_nothing_else(
    known: int, domains: int, oauth: bool
) -> None:
    names = ["corp.example", *(f"corp{number}.example" for number in range(1, domains))]
    world = World(oauth=oauth, Domains=", ".join(names))
    world.tenant.add(*held_mails(known, RECENTLY))
    assert len(world.cycle().alerts) == known
    assert world.cycle().requests == {SEARCH: 2 * domains} | ({TOKEN: 1} if oauth else {})


@pytest.mark.parametrize("messages", [1, 99, 101, 230])
def test_new_messages_cost_one_request_each_and_a_page_of_the_hold_queue_for_each_hundred(messages: int) -> None:
    world = World(Max_Messages_To_Return="1000")
    world.tenant.add(*held_mails(messages, RECENTLY))
    result = world.cycle()
    assert len(result.alerts) == messages
    assert result.requests == {SEARCH: 2, HOLD_LIST: math.ceil(messages / PAGE), DETAILS: messages}


def test_an_attachment_costs_three_requests_and_a_message_without_one_none() -> None:
    world = World()
    world.tenant.add(*held_mails(6, RECENTLY, attachments=[attachment()]), *held_mails(7, RECENTLY))
    requests = world.cycle().requests
    links = [path for path in requests if path.startswith("/download/")]
    assert (requests[HELD_DETAIL], requests[HELD_FILE], len(links)) == (6, 6, 6)


def test_the_hold_queue_is_not_read_for_messages_that_are_not_on_hold() -> None:
    world = World(Status_Filter="bounced")
    world.tenant.add(*held_mails(5, RECENTLY, status="bounced"))
    assert world.cycle().requests == {SEARCH: 2, DETAILS: 5}


def test_of_a_reply_that_may_be_cut_off_the_parts_are_searched_and_their_messages_read_in_one_go() -> None:
    world = World(Max_Messages_To_Return="1000")
    world.tenant.add(*held_mails(100, RECENTLY, timedelta(seconds=25)))
    result = world.cycle()
    assert len(result.alerts) == 100
    assert result.requests == {SEARCH: 2 + 2, HOLD_LIST: 1, DETAILS: 100}


def test_a_backlog_drains_at_the_limit_with_hardly_a_request_more_than_needed() -> None:
    messages, limit = 600, 100
    world = World()
    world.tenant.add(*held_mails(messages, RECENTLY, timedelta(seconds=4)))
    cycles = [world.cycle() for _ in range(math.ceil(messages / limit))]
    assert [len(cycle.alerts) for cycle in cycles] == [limit] * len(cycles)
    fewest = len(cycles) * (2 + 1) + messages
    assert sum(sum(cycle.requests.values()) for cycle in cycles) <= 1.05 * fewest


def test_work_that_the_limit_will_not_use_is_not_started_beyond_the_workers_margin() -> None:
    world = World(Max_Messages_To_Return="20", Lowest_Risk_To_Fetch="high", Ingest_Messages_Without_Risk="false")
    for index in range(200):
        risk = "high" if index % 2 else "low"
        world.tenant.add(held_mail(RECENTLY + timedelta(seconds=index), verdict={"decision": "none", "risk": risk}))
    result = world.cycle()
    assert len(result.alerts) == 20
    assert result.requests[DETAILS] <= 40 + WORKERS


def test_no_more_requests_are_in_flight_than_there_are_workers_and_all_workers_are_used() -> None:
    world = World(Max_Messages_To_Return="1000")
    world.tenant.add(*held_mails(300, RECENTLY))
    world.cycle()
    assert 1 < world.tenant.max_in_flight <= WORKERS
