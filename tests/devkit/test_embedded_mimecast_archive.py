from __future__ import annotations

from datetime import timedelta

import pytest
from mimecast_client import ARCHIVE, NOW, Client, a_file, a_mail, a_tenant, minutes, when

from devkit.mimecast.tenant import Tenant

ALL_FIELDS = {
    "attachmentcount",
    "status",
    "subject",
    "size",
    "receiveddate",
    "displayfrom",
    "displayfromaddress",
    "id",
    "displayto",
    "displaytoaddresslist",
    "smash",
}


def query(muse: str = "", *, size: int | str = 25, mailboxes: str = "", fields: str = "", start: int | str = 0) -> str:
    return (
        '<?xml version="1.0"?><xmlquery trace="iql,muse">'
        f'<metadata query-type="emailarchive" archive="true" active="false" page-size="{size}" startrow="{start}">'
        f"<mailboxes>{mailboxes}</mailboxes><smartfolders/><return-fields>{fields}</return-fields></metadata>"
        f'<muse>{muse}<docs select="optional"></docs><route/></muse></xmlquery>'
    )


@pytest.fixture
def tenant() -> Tenant:
    tenant = a_tenant()
    tenant.add(
        a_mail(1, status="archived", received=NOW - timedelta(hours=1), subject="Invoice 17, second quarter"),
        a_mail(
            2,
            status="archived",
            received=NOW - timedelta(days=1),
            sender="bob@corp.example",
            recipients=["x@sender.example"],
            route="outbound",
            subject="The quarter's invoice was paid",
            attachments=[a_file("plan.xlsx"), a_file("b.txt")],
        ),
        a_mail(
            3,
            status="archived",
            received=NOW - timedelta(days=8),
            sender="carl@other.example",
            recipients=["ann@corp.example", "zoe@corp.example"],
            subject="Lunch & <more>",
            text="meet me at the harbour",
        ),
        a_mail(4, status="archived", received=NOW - timedelta(days=200), subject="Long ago"),
        a_mail(5, status="held", subject="Invoice on hold"),
    )
    return tenant


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


def found(client: Client, xml: str) -> list[int]:
    """Numbers of the mails that a query finds, in their order."""
    numbers = {"I": 1, "T": 2, "L": 3}
    rows = client.data(ARCHIVE, {"admin": True, "query": xml})[0]["items"]
    return [4 if row["subject"] == "Long ago" else numbers[row["subject"][0]] for row in rows]


def test_everything_archived_is_found_newest_first(client: Client) -> None:
    assert found(client, query()) == [1, 2, 3, 4]


def test_without_admin_there_is_nothing_and_no_error(client: Client) -> None:
    for item in ({"query": query()}, {"admin": False, "query": query()}):
        assert client.data(ARCHIVE, item)[0]["items"] == []
    assert client.error(ARCHIVE, {"admin": "true", "query": query()})["field"] == "admin"


def test_a_row_has_the_recorded_shape(client: Client) -> None:
    row = client.data(ARCHIVE, {"admin": True, "query": query()})[0]["items"][2]
    assert set(row) == ALL_FIELDS
    assert (row["attachmentcount"], row["status"], row["subject"]) == (0, "ARCHIVED", "Lunch & <more>")
    assert row["displayto"] == "ann@corp.example; zoe@corp.example"
    assert [one["emailAddress"] for one in row["displaytoaddresslist"]] == ["ann@corp.example", "zoe@corp.example"]
    assert row["receiveddate"] == when(NOW - timedelta(days=8))


def test_only_the_fields_asked_for_come_back(client: Client) -> None:
    fields = "<return-field>id</return-field><return-field> subject </return-field><return-field>nope</return-field>"
    row = client.data(ARCHIVE, {"admin": True, "query": query(fields=fields)})[0]["items"][0]
    assert set(row) == {"id", "subject"}


@pytest.mark.parametrize(
    ("muse", "expected"),
    [
        ('<sent select="from">eve@sender.example</sent>', [1, 4]),
        ('<sent select="from">SENDER.example</sent>', [1, 4]),
        ('<sent select="to">zoe@corp.example</sent>', [3]),
        ('<sent select="to">corp.example</sent>', [1, 3, 4]),
        ('<sent select="from">corp.example</sent><sent select="to">sender.example</sent>', [2]),
        ('<sent select="from">eve@sender.example or bob@corp.example</sent>', []),
        ("<sent></sent>", [1, 2, 3, 4]),
        ("<text></text>", [1, 2, 3, 4]),
        ("<text>subject:invoice quarter</text>", [1, 2]),  # words, not a phrase: results are to be checked again
        ("<text>subject: lunch</text>", [3]),
        ("<text>from:bob@corp.example or from:carl@other.example</text>", [2, 3]),
        ("<text>from:bob@corp.example or carl@other.example</text>", [2, 3]),
        ("<text>to:ann@corp.example</text>", [1, 3, 4]),
        ("<text>harbour</text>", [3]),
        ("<text>subject:harbour</text>", []),
        ("<text>from:eve@sender.example</text><text>subject:invoice</text>", [1]),
        ("<text>subject:&lt;more&gt;</text>", [3]),
        ("<received>nobody@corp.example</received><to>nobody</to><recipient>nobody</recipient>", [1, 2, 3, 4]),
        ('<date select="today"/>', [1]),
        ('<date select="yesterday"/>', [2]),
        ('<date select="last_week"/>', [1, 2]),
        ('<date select="last_month"/>', [1, 2, 3]),
        ('<date select="last_year"/>', [1, 2, 3, 4]),
        ('<date select="between" from="2026-03-09T12:00:00Z" to="2026-03-10T11:00:00+0000"/>', [1, 2]),
        ('<date select="between" from="2026-03-09T13:00:01+0100" to="2026-03-10T11:00:00Z"/>', [1]),
        ('<date select="between" from="2026-03-09T12:00:00Z" to="2026-03-10T10:59:59Z"/>', [2]),
    ],
)
def test_what_a_query_finds(client: Client, muse: str, expected: list[int]) -> None:
    assert found(client, query(muse)) == expected


@pytest.mark.parametrize(
    ("mailboxes", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("<mailbox>bob@corp.example</mailbox>", [2]),
        (
            '<mailbox include-aliases="true">ann@corp.example</mailbox> <mailbox>BOB@corp.example</mailbox>',
            [1, 2, 3, 4],
        ),
        ("<mailbox>nobody@corp.example</mailbox>", []),
    ],
)
def test_mailboxes_are_senders_and_recipients(client: Client, mailboxes: str, expected: list[int]) -> None:
    assert found(client, query(mailboxes=mailboxes)) == expected


@pytest.mark.parametrize(
    ("docs", "route", "expected"),
    [
        ("optional", "", [1, 2, 3, 4]),
        ("any", "", [2]),
        ("none", "", [1, 3, 4]),
        ("spreadsheets", "", [2]),
        ("images", "", []),
        ("optional", "outbound", [2]),
    ],
)
def test_docs_and_route(client: Client, docs: str, route: str, expected: list[int]) -> None:
    xml = query().replace('select="optional"', f'select="{docs}"').replace("<route/>", f"<route>{route}</route>")
    assert found(client, xml) == expected


def test_mail_that_is_archived_later_is_found_then(tenant: Tenant, client: Client) -> None:
    assert 5 not in found(client, query())
    tenant.set_status(tenant.store.mails[4], "archived")
    assert len(found(client, query())) == 5


@pytest.mark.parametrize(
    "xml",
    [
        "invoice",
        "<xmlquery>",
        "<query/>",
        "<xmlquery><metadata query-type='emailarchive'/></xmlquery>",
        "<xmlquery><muse/></xmlquery>",
        "<xmlquery><metadata/><muse/></xmlquery>",
        query(size=0),
        query(size=501),
        query(size="many"),
        query(start=-1),
        query('<sent select="by">a@b.example</sent>'),
        query("<sent>a@b.example</sent>"),
        query('<date select="last_hour"/>'),
        query("<date/>"),
        query('<date select="between" from="2026-03-09T12:00:00Z"/>'),
        query('<date select="between" from="2026-03-09T12:00:00" to="2026-03-10T12:00:00"/>'),
        query('<date select="between" from="2026-03-10T12:00:00Z" to="2026-03-09T12:00:00Z"/>'),
        query("<text>a & b</text>"),
        query().replace('docs select="optional"', 'docs select="all"'),
        query(mailboxes="".join(f"<mailbox>u{number}@corp.example</mailbox>" for number in range(101))),
        '<!DOCTYPE xmlquery [<!ENTITY a "b">]>' + query("<text>&a;</text>").partition("?>")[2],
        "<!DOCTYPE xmlquery>" + query().partition("?>")[2],
        query("\x00"),
    ],
)
def test_a_query_that_is_not_as_documented_is_invalid(client: Client, xml: str) -> None:
    error = client.error(ARCHIVE, {"admin": True, "query": xml})
    assert (error["code"], error["field"]) == ("err_invalid_search_xml", "query")


@pytest.mark.parametrize("item", [{}, {"query": None}, {"query": " "}, {"query": 5}])
def test_a_query_is_needed(client: Client, item: dict) -> None:
    assert client.error(ARCHIVE, {"admin": True} | item)["field"] == "query"


def test_exactly_one_query(client: Client) -> None:
    item = {"admin": True, "query": query()}
    assert client.error(ARCHIVE, item, item)["field"] == "data"


def test_an_archive_that_is_not_licensed_is_forbidden(tenant: Tenant, client: Client) -> None:
    tenant.archive_enabled = False
    response = client.post(ARCHIVE, {"admin": True, "query": query()})
    assert (response.status_code, response.json()["fail"][0]["code"]) == (403, "app_forbidden")


# -- pages


def many(tenant: Tenant, count: int) -> None:
    tenant.add(*(a_mail(100 + number, status="archived", received=NOW - minutes(number)) for number in range(count)))


@pytest.mark.parametrize("shape", ["items", "flat"])
def test_pages_are_followed_to_the_end(tenant: Tenant, shape: str) -> None:
    tenant.archive_shape = shape  # type: ignore[assignment]
    many(tenant, 246)
    client = Client(tenant)
    subjects: list[str] = []
    pages, token = 0, None
    while True:
        body = client.page(ARCHIVE, {"admin": True, "query": query(size=100)}, token=token)
        rows = body["data"] if shape == "flat" else body["data"][0]["items"]
        pagination = body["meta"]["pagination"]
        assert (pagination["recordStart"], pagination["pageSize"]) == (len(subjects), 100)
        subjects += [row["subject"] for row in rows]
        pages += 1
        token = pagination.get("next")
        if token is None:
            break
    assert (pages, len(subjects), len(set(subjects))) == (3, 250, 250)


def test_both_shapes_are_told_apart_by_their_rows(tenant: Tenant, client: Client) -> None:
    nested = client.data(ARCHIVE, {"admin": True, "query": query()})
    assert set(nested[0]) == {"items", "queryDuration"}
    tenant.archive_shape = "flat"
    assert client.data(ARCHIVE, {"admin": True, "query": query()}) == nested[0]["items"]


def test_a_page_token_belongs_to_one_query(tenant: Tenant, client: Client) -> None:
    token = client.page(ARCHIVE, {"admin": True, "query": query(size=2)})["meta"]["pagination"]["next"]
    other = {"admin": True, "query": query("<text>invoice</text>", size=2)}
    error = client.error(ARCHIVE, other, meta={"pagination": {"pageToken": token}})
    assert error["field"] == "meta.pagination.pageToken"


def test_startrow_is_where_the_first_page_begins(client: Client) -> None:
    assert found(client, query(start=2)) == [3, 4]
