from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from mimecast_client import (
    ACCOUNT,
    INFO,
    NOW,
    SEARCH,
    Client,
    a_mail,
    a_tenant,
    minutes,
    when,
)

from devkit.mimecast.mail import STATUSES, Mail, Odd
from devkit.mimecast.tenant import Tenant

TO_CORP = {"to": "corp.example"}


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


# -- data


def test_a_mail_gives_a_row_for_each_recipient_with_ids_of_its_own(tenant: Tenant, client: Client) -> None:
    rows = tenant.add(a_mail(recipients=["ann@corp.example", "bob@corp.example", "zoe@corp.example"]))
    ids = {row.tracking_id for row in rows} | {row.held_id for row in rows}
    assert len(ids) == 6
    assert all(re.fullmatch(r"eN[A-Za-z0-9_-]{100,400}", one) for one in ids)
    assert {len(row.tracking_id) for row in rows}.isdisjoint({len(row.held_id) for row in rows})
    shown = client.search()
    assert {row["id"] for row in shown} == {row.tracking_id for row in rows}
    assert [row["to"][0]["emailAddress"] for row in shown] == [
        "zoe@corp.example",
        "bob@corp.example",
        "ann@corp.example",
    ]


def test_ids_are_the_same_in_every_tenant() -> None:
    assert [row.tracking_id for row in a_tenant().add(a_mail())] == [
        row.tracking_id for row in a_tenant().add(a_mail())
    ]


def test_the_same_mail_is_there_once(tenant: Tenant) -> None:
    tenant.add(a_mail())
    with pytest.raises(ValueError, match="there already"):
        tenant.add(a_mail())


@pytest.mark.parametrize(
    "change",
    [
        {"received": datetime(2026, 3, 10)},  # noqa: DTZ001 - that is the mistake
        {"status": "lost"},
        {"route": "sideways"},
        {"status": {"other@corp.example": "held"}},
    ],
)
def test_an_impossible_mail_is_refused(change: dict) -> None:
    with pytest.raises(ValueError, match=r"time zone|status|route"):
        a_mail(**change)


def test_a_tracked_row_has_the_recorded_shape(tenant: Tenant, client: Client) -> None:
    names = {"eve@sender.example": "Eve, the <sender>"}
    tenant.add(
        a_mail(names=names, received=NOW - timedelta(seconds=75), envelope="bounce@sender.example", spam_score=7)
    )
    (row,) = client.search()
    assert row == {
        "info": "Message Hold Applied - Spam Signature policy",
        "id": row["id"],
        "status": "held",
        "fromEnv": {"displayableName": "", "emailAddress": "bounce@sender.example"},
        "fromHdr": {"displayableName": "Eve, the <sender>", "emailAddress": "eve@sender.example"},
        "to": [{"displayableName": "", "emailAddress": "ann@corp.example"}],
        "received": "2026-03-10T11:58:00+0000",
        "subject": "Mail 1",
        "senderIP": "192.0.2.25",
        "attachments": False,
        "route": "inbound",
        "sent": "2026-03-10T11:58:00+0000",
        "spamScore": 7,
        "detectionLevel": "relaxed",
    }


@pytest.mark.parametrize(
    ("odd", "missing"),
    [
        (Odd(no_to=True), {"to"}),
        (Odd(tracked={"subject": None, "extra": 1}), set()),
    ],
)
def test_odd_tracked_rows(tenant: Tenant, client: Client, odd: Odd, missing: set[str]) -> None:
    usual = set(client_row(a_mail()))
    tenant.add(a_mail(odd=odd))
    (row,) = client.search()
    assert usual - set(row) == missing
    assert odd.tracked.items() <= row.items()


def client_row(mail: Mail) -> dict:
    tenant = a_tenant()
    tenant.add(mail)
    return Client(tenant).search()[0]


def test_odd_senders_and_names() -> None:
    assert client_row(a_mail(envelope="<>"))["fromEnv"]["emailAddress"] == "<>"
    assert "fromEnv" not in client_row(a_mail(envelope=None))
    assert client_row(a_mail(odd=Odd(no_names=True)))["to"] == [{"emailAddress": "ann@corp.example"}]


def test_a_mail_without_recipients_has_one_row(tenant: Tenant, client: Client) -> None:
    tenant.add(a_mail(recipients=[]))
    (row,) = client.search(advancedTrackAndTraceOptions={"from": "sender.example"})
    assert row["to"] == []
    assert client.data(INFO, {"id": row["id"]})[0]["recipientInfo"]["messageInfo"]["to"] == []


# -- search: what is found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"to": "corp.example"}, {1, 2}),
        ({"to": "CORP.example"}, {1, 2}),
        ({"to": "ann@corp.example"}, {1}),
        ({"to": "example"}, set()),
        ({"to": "mail.corp.example"}, set()),
        ({"from": "sender.example"}, {1, 3}),
        ({"from": "bounce.example"}, {2}),
        ({"from": "header.example"}, {2}),
        ({"from": "sender.example", "to": "corp.example"}, {1}),
        ({"subject": "mail 3"}, {3}),
        ({"senderIP": "203.0.113.9"}, {3}),
        ({"url": "https://bad.example/x"}, {2}),
        ({"to": "corp.example", "subject": "mail 2"}, {2}),
        ({"to": "corp.example", "senderIp": "203.0.113.9"}, {1, 2}),  # misspelt, and so ignored
    ],
)
def test_search_by_each_option(tenant: Tenant, client: Client, options: dict[str, str], found: set[int]) -> None:
    tenant.add(
        a_mail(1),
        a_mail(
            2,
            recipients=["bob@corp.example"],
            sender="x@header.example",
            envelope="y@bounce.example",
            text="see https://bad.example/x",
        ),
        a_mail(3, recipients=["carl@other.example"], sender_ip="203.0.113.9"),
    )
    rows = client.search(advancedTrackAndTraceOptions=options)
    assert {row["subject"] for row in rows} == {f"Mail {number}" for number in found}


def test_search_by_message_id(tenant: Tenant, client: Client) -> None:
    tenant.add(a_mail(1, recipients=["ann@corp.example", "bob@corp.example"]), a_mail(2))
    assert len(client.search(messageId="<1@sender.example>")) == 2
    assert client.search(messageId="1@sender.example") == []
    assert client.search(messageId="<1@sender.example>", status=["archived"]) == []


def test_start_and_end_are_both_included(tenant: Tenant, client: Client) -> None:
    received = NOW - timedelta(minutes=30, seconds=15)
    tenant.add(a_mail(received=received + timedelta(microseconds=700)))
    second = timedelta(seconds=1)
    assert client.search(start=when(received), end=when(received))
    assert not client.search(start=when(received + second))
    assert not client.search(end=when(received - second))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC"])
def test_offsets_are_understood_and_answers_are_in_utc(tenant: Tenant, client: Client, zone: str) -> None:
    received = NOW.astimezone(ZoneInfo(zone)) - minutes(10)
    tenant.add(a_mail(received=received))
    text = received.strftime("%Y-%m-%dT%H:%M:%S%z")
    (row,) = client.search(start=text, end=text)
    assert row["received"] == "2026-03-10T11:50:00+0000"
    assert client.search(start=when(received).replace("+0000", "Z"))


def test_a_mail_is_found_when_it_is_indexed_and_not_before() -> None:
    moment = NOW
    tenant = Tenant(clock=lambda: moment)
    client = Client(tenant)
    (row,) = tenant.add(a_mail(received=NOW - minutes(5), indexed_at=NOW + minutes(20)))
    assert client.search() == []
    assert client.error(INFO, {"id": row.tracking_id})["code"] == "err_track_and_trace_message_not_found"
    moment = NOW + minutes(20)
    assert [one["received"] for one in client.search()] == [when(NOW - minutes(5))]


def test_mail_of_the_future_is_not_there_yet(tenant: Tenant, client: Client) -> None:
    tenant.add(a_mail(received=NOW + minutes(1)))
    assert client.search(end=when(NOW + minutes(5))) == []


@pytest.mark.parametrize(("status", "found"), [("rejected", False), ("deferred", False), ("bounced", True)])
def test_rejected_and_deferred_mail_is_kept_for_seven_days(
    tenant: Tenant, client: Client, status: str, found: bool
) -> None:
    tenant.add(a_mail(1, status=status, received=NOW - timedelta(days=7, seconds=1)))
    tenant.add(a_mail(2, status=status, received=NOW - timedelta(days=7)))
    subjects = {row["subject"] for row in client.search()}
    assert subjects == ({"Mail 1", "Mail 2"} if found else {"Mail 2"})


def test_filters_of_status_and_route(tenant: Tenant, client: Client) -> None:
    for number, status in enumerate(STATUSES):
        tenant.add(a_mail(number, status=status))
    tenant.add(a_mail(90, route="internal", status="held"), a_mail(91, route="outbound", status="held"))
    assert {row["status"] for row in client.search()} == set(STATUSES)
    assert {row["status"] for row in client.search(status=["held", "bounced"])} == {"held", "bounced"}
    assert len(client.search(status=[])) == len(STATUSES) + 2
    for routes, subjects in {
        ("internal",): {"Mail 90"},
        ("outbound", "internal"): {"Mail 90", "Mail 91"},
        ("external",): {"Mail 3", "Mail 91"},
        ("all",): {"Mail 3", "Mail 90", "Mail 91"},
    }.items():
        assert {row["subject"] for row in client.search(status=["held"], route=list(routes))} == subjects


def test_each_recipient_has_a_status_of_its_own_that_may_change(tenant: Tenant, client: Client) -> None:
    mail = a_mail(
        recipients=["ann@corp.example", "bob@corp.example"],
        status={"ann@corp.example": "held", "bob@corp.example": "archived"},
        info="Held by hand",
    )
    ann, bob = tenant.add(mail)
    assert [row["info"] for row in client.search()] == ["Held by hand", "Held by hand"]
    tenant.set_status(ann.tracking_id, "accepted")
    assert {row["id"]: row["status"] for row in client.search()} == {
        ann.tracking_id: "accepted",
        bob.tracking_id: "archived",
    }
    tenant.set_status(mail, "bounced")
    assert {row["status"] for row in client.search()} == {"bounced"}
    assert "Held by hand" not in {row["info"] for row in client.search()}
    with pytest.raises(ValueError, match="unknown status"):
        tenant.set_status(mail, "lost")


# -- search: caps


@pytest.mark.parametrize(("order", "expected"), [("newest", [9, 8, 7]), ("oldest", [0, 1, 2])])
def test_a_capped_reply_begins_where_the_tenant_says(
    tenant: Tenant, client: Client, order: str, expected: list[int]
) -> None:
    tenant.search_cap, tenant.search_order = 3, order  # type: ignore[assignment]
    tenant.add(*(a_mail(number, received=NOW - minutes(30 - number)) for number in range(10)))
    assert [row["subject"] for row in client.search()] == [f"Mail {number}" for number in expected]


def test_the_cap_counts_rows_that_pass_the_filters(tenant: Tenant, client: Client) -> None:
    tenant.search_cap = 2
    tenant.add(*(a_mail(number, status="archived" if number % 2 else "held") for number in range(6)))
    assert len(client.search(status=["archived"])) == 2


# -- search: what is rejected


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({}, "err_validation_value_not_allowed", "advancedTrackAndTraceOptions"),
        (
            {"messageId": "<1@x>", "advancedTrackAndTraceOptions": TO_CORP},
            "err_validation_value_not_allowed",
            "advancedTrackAndTraceOptions",
        ),
        ({"messageId": " "}, "err_validation_blank", "messageId"),
        ({"advancedTrackAndTraceOptions": {}}, "err_validation_null", "advancedTrackAndTraceOptions"),
        (
            {"advancedTrackAndTraceOptions": {"senderIp": "192.0.2.1"}},
            "err_validation_null",
            "advancedTrackAndTraceOptions",
        ),
        (
            {"advancedTrackAndTraceOptions": {"to": None}},
            "err_validation_null",
            "advancedTrackAndTraceOptions.to",
        ),
        ({"advancedTrackAndTraceOptions": {"to": ""}}, "err_validation_blank", "advancedTrackAndTraceOptions.to"),
        (
            {"advancedTrackAndTraceOptions": {"to": ["corp.example"]}},
            "err_validation_value_not_allowed",
            "advancedTrackAndTraceOptions.to",
        ),
        ({"status": "held"}, "err_validation_value_not_allowed", "status"),
        ({"status": ["Held"]}, "err_validation_value_not_allowed", "status"),
        ({"status": ["delivered"]}, "err_validation_value_not_allowed", "status"),
        ({"route": "inbound"}, "err_validation_value_not_allowed", "route"),
        ({"route": ["inwards"]}, "err_validation_value_not_allowed", "route"),
        ({"start": "2026-03-10T11:00:00"}, "err_validation_invalid_date", "start"),
        ({"start": "2026-03-10T11:00:00+00:00"}, "err_validation_invalid_date", "start"),
        ({"start": "2026-03-10T11:00:00.000+0000"}, "err_validation_invalid_date", "start"),
        ({"start": "2026-02-30T11:00:00+0000"}, "err_validation_invalid_date", "start"),
        ({"start": None}, "err_validation_invalid_date", "start"),
        ({"end": 1773140400}, "err_validation_invalid_date", "end"),
        (
            {"start": "2026-03-10T11:00:00+0000", "end": "2026-03-10T10:59:59+0000"},
            "err_validation_value_not_allowed",
            "end",
        ),
    ],
)
def test_search_refuses(client: Client, item: dict, code: str, field: str) -> None:
    criteria = {} if not item or set(item) & {"messageId", "advancedTrackAndTraceOptions"} else TO_CORP
    if criteria:
        item = item | {"advancedTrackAndTraceOptions": criteria}
    error = client.error(SEARCH, item)
    assert (error["code"], error["field"]) == (code, field)


@pytest.mark.parametrize("items", [[], [{"messageId": "<1@x>"}, {"messageId": "<2@x>"}]])
def test_search_and_details_take_exactly_one_item(client: Client, items: list[dict]) -> None:
    assert client.error(SEARCH, *items)["field"] == "data"
    assert client.error(INFO, *items)["field"] == "data"


def test_a_start_of_thirty_days_ago_fails_with_http_200_and_one_a_second_later_works(client: Client) -> None:
    month = timedelta(days=30)
    for start in (NOW - month, NOW - month - minutes(1)):
        error = client.error(SEARCH, {"start": when(start), "advancedTrackAndTraceOptions": TO_CORP})
        assert (error["code"], error["field"]) == ("err_track_and_trace_invalid_start_date", "start")
    assert client.search(start=when(NOW - month + timedelta(seconds=1))) == []


def test_the_refused_item_is_the_key_of_the_failure(client: Client) -> None:
    item = {"status": ["x"], "advancedTrackAndTraceOptions": TO_CORP}
    assert client.post(SEARCH, item).json()["fail"][0]["key"] == item


# -- account and counting


def test_the_account_tells_whether_there_is_an_archive(tenant: Tenant, client: Client) -> None:
    tenant.archive_enabled = False
    assert client.data(ACCOUNT)[0]["archive"] is False


def test_requests_are_remembered(tenant: Tenant) -> None:
    client = Client(tenant)
    client.search()
    Client(tenant, "hmac").data(ACCOUNT)
    token, search, account = tenant.requests
    assert (token.path, token.auth, token.body) == ("/oauth/token", "none", None)
    assert search.number == 2
    assert search.body == {"data": [{"advancedTrackAndTraceOptions": TO_CORP}]}
    assert (search.auth, search.at, search.status, search.in_flight) == ("oauth", NOW, 200, 1)
    assert (account.auth, len(account.request_id or "")) == ("hmac", 36)
    assert (tenant.count(), tenant.count(SEARCH), tenant.count(INFO)) == (3, 1, 0)
    tenant.reset_counts()
    assert (tenant.count(), tenant.count(SEARCH), tenant.requests) == (0, 0, [])


def test_a_window_of_20000_rows_is_searched_by_its_size_and_not_by_all_rows() -> None:
    tenant = a_tenant()
    template = a_mail()
    for number in range(20_000):
        tenant.add(replace(template, message_id=f"<{number}@x>", received=NOW - timedelta(seconds=number)))
    client = Client(tenant)
    client.search(start=when(NOW - minutes(1)))
    started = time.thread_time()
    for _ in range(20):
        assert len(client.search(start=when(NOW - minutes(1)))) == 61
    # All rows would take about half a second each time.
    assert (time.thread_time() - started) / 20 < 0.1
