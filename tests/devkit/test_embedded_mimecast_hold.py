from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from mimecast_client import (
    HOLD_LIST,
    NOW,
    REJECT,
    RELEASE,
    Client,
    a_file,
    a_mail,
    a_tenant,
    minutes,
    when,
)

from devkit.mimecast.endpoints_hold import REASON_TYPES
from devkit.mimecast.mail import Odd
from devkit.mimecast.tenant import Rejection, Tenant

ADMIN = {"admin": True}


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


def subjects(client: Client, **item: object) -> list[str]:
    return [row["subject"] for row in client.data(HOLD_LIST, ADMIN | item)]


# -- the list


def test_a_held_row_has_the_recorded_shape(tenant: Tenant, client: Client) -> None:
    mail = a_mail(
        envelope="bounce@sender.example",
        names={"ann@corp.example": "Ann"},
        received=NOW - timedelta(seconds=75),
        attachments=[a_file()],
        route="outbound",
        queue_reason="Malicious Attachment",
        info="Message Hold Applied - Content examination policy",
    )
    (row,) = tenant.add(mail)
    assert client.data(HOLD_LIST, ADMIN) == [
        {
            "id": row.held_id,
            "reason": "Message Hold Applied - Content examination policy",
            "reasonId": "MESSAGE_HOLD_APPLIED_CONTENT_EXAMINATION_POLICY",
            "reasonCode": "message_hold_applied_content_examination_policy",
            "from": {"displayableName": "", "emailAddress": "bounce@sender.example"},
            "fromHeader": {"displayableName": "", "emailAddress": "eve@sender.example"},
            "to": {"displayableName": "Ann", "emailAddress": "ann@corp.example"},
            "subject": "Mail 1",
            "route": "OUTBOUND",
            "hasAttachments": True,
            "size": mail.size,
            "dateReceived": "2026-03-10T11:58:45+0000",
            "policyInfo": "Malicious Attachment",
        }
    ]


def test_the_size_of_a_mail_grows_with_its_parts() -> None:
    sizes = [a_mail(text="t" * 10, html="h" * 10).size, a_mail(text="t" * 10, html="h" * 30).size]
    sizes += [a_mail(text="t" * 40, html="h" * 30).size, a_mail(attachments=[a_file(content=b"f" * 3000)]).size]
    assert (sizes[1] - sizes[0], sizes[2] - sizes[1]) == (20, 30)
    assert sizes[3] > 4000  # base64


def test_there_is_one_held_row_for_each_recipient_on_hold(tenant: Tenant, client: Client) -> None:
    recipients = ["ann@corp.example", "bob@corp.example", "zoe@corp.example"]
    rows = tenant.add(a_mail(recipients=recipients), a_mail(2, status="archived"))
    tenant.set_status(rows[1].tracking_id, "accepted")
    held = client.data(HOLD_LIST, ADMIN)
    assert {row["to"]["emailAddress"]: row["id"] for row in held} == {
        "ann@corp.example": rows[0].held_id,
        "zoe@corp.example": rows[2].held_id,
    }


def test_without_admin_there_is_nothing(tenant: Tenant, client: Client) -> None:
    tenant.add(a_mail())
    for item in ({}, {"admin": False}):
        body = client.page(HOLD_LIST, item)
        assert (body["data"], body["meta"]["pagination"]["totalCount"]) == ([], 0)


def test_a_mail_may_be_tracked_as_held_and_not_be_in_the_queue(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail(odd=Odd(not_in_hold_queue=True)))
    assert subjects(client) == []
    assert client.data(RELEASE, {"id": row.held_id}) == [{"id": row.held_id, "release": False}]


def test_the_queue_has_mail_that_is_not_indexed_yet_but_none_of_the_future(tenant: Tenant, client: Client) -> None:
    tenant.add(a_mail(1, indexed_at=NOW + minutes(30)), a_mail(2, received=NOW + minutes(1)))
    assert subjects(client, end=when(NOW + minutes(10))) == ["Mail 1"]


def test_start_and_end_are_both_included(tenant: Tenant, client: Client) -> None:
    tenant.add(*(a_mail(number, received=NOW - minutes(number)) for number in range(1, 6)))
    window = {"start": when(NOW - minutes(4)), "end": when(NOW - minutes(2))}
    assert subjects(client, **window) == ["Mail 2", "Mail 3", "Mail 4"]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("all", None, {1, 2, 3}),
        ("recipient", "ann@corp.example", {1, 3}),
        ("recipient", "BOB@corp.example", {2}),
        ("recipient", "corp.example", {1, 2, 3}),
        ("sender", "other.example", {2}),
        ("subject", "mail 3", {3}),
        ("senderIP", "203.0.113.9", {3}),
        ("reasonCode", "message_hold_applied_by_hand", {2}),
    ],
)
def test_search_by_each_field(tenant: Tenant, client: Client, field: str, value: str | None, found: set[int]) -> None:
    tenant.add(
        a_mail(1),
        a_mail(2, recipients=["bob@corp.example"], sender="x@other.example", info="Message Hold Applied by hand"),
        a_mail(3, sender_ip="203.0.113.9"),
    )
    criterion = {"fieldName": field} | ({"value": value} if value else {})
    assert set(subjects(client, searchBy=criterion)) == {f"Mail {number}" for number in found}


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"admin": "true"}, "admin"),
        ({"searchBy": {"fieldName": "reason_code", "value": "x"}}, "searchBy.fieldName"),
        ({"searchBy": {"fieldName": "recipient"}}, "searchBy.value"),
        ({"searchBy": {"value": "x"}}, "searchBy.fieldName"),
        ({"searchBy": "recipient"}, "searchBy"),
        ({"searchBy": None}, "searchBy"),
        ({"start": "yesterday"}, "start"),
        ({"start": when(NOW), "end": when(NOW - minutes(1))}, "end"),
    ],
)
def test_the_list_refuses(client: Client, item: dict, field: str) -> None:
    assert client.error(HOLD_LIST, ADMIN | item)["field"] == field


# -- pages


def forty_of_one_mailbox_in_one_second(tenant: Tenant) -> set[str]:
    template = a_mail()
    rows = tenant.add(*(replace(template, message_id=f"<{number}@x>") for number in range(40)))
    return {row.held_id for row in rows}


@pytest.mark.parametrize("asked", [None, 25, 100])
def test_pages_are_followed_to_the_end_and_no_page_is_larger_than_the_tenant_says(
    tenant: Tenant, client: Client, asked: int | None
) -> None:
    tenant.page_ceiling = 25
    wanted = forty_of_one_mailbox_in_one_second(tenant)
    first = client.page(HOLD_LIST, ADMIN, size=asked)
    assert first["meta"]["pagination"].keys() == {"pageSize", "totalCount", "next"}
    assert (first["meta"]["pagination"]["pageSize"], first["meta"]["pagination"]["totalCount"]) == (25, 40)
    second = client.page(HOLD_LIST, ADMIN, size=asked, token=first["meta"]["pagination"]["next"])
    assert "next" not in second["meta"]["pagination"]
    assert [len(first["data"]), len(second["data"])] == [25, 15]
    assert {row["id"] for row in first["data"] + second["data"]} == wanted
    back = client.page(HOLD_LIST, ADMIN, size=asked, token=second["meta"]["pagination"]["previous"])
    assert back["data"] == first["data"]


def test_the_size_of_a_page_is_the_defaults_if_a_page_names_none(tenant: Tenant, client: Client) -> None:
    tenant.hold_page_default = 7
    forty_of_one_mailbox_in_one_second(tenant)
    first = client.page(HOLD_LIST, ADMIN, size=10)
    second = client.page(HOLD_LIST, ADMIN, token=first["meta"]["pagination"]["next"])
    assert [len(first["data"]), len(second["data"])] == [10, 7]


@pytest.mark.parametrize(("size", "pages"), [(20, 2), (39, 2), (40, 1), (500, 1)])
def test_a_last_page_that_is_full_has_no_next(tenant: Tenant, client: Client, size: int, pages: int) -> None:
    tenant.page_ceiling = 500
    forty_of_one_mailbox_in_one_second(tenant)
    body = client.page(HOLD_LIST, ADMIN, size=size)
    for _ in range(pages - 1):
        body = client.page(HOLD_LIST, ADMIN, size=size, token=body["meta"]["pagination"]["next"])
    assert body["data"]
    assert "next" not in body["meta"]["pagination"]


def test_mail_that_comes_between_two_pages_moves_nothing(tenant: Tenant, client: Client) -> None:
    wanted = forty_of_one_mailbox_in_one_second(tenant)
    first = client.page(HOLD_LIST, ADMIN, size=25)
    tenant.add(a_mail(99, received=NOW - minutes(1)))
    second = client.page(HOLD_LIST, ADMIN, size=25, token=first["meta"]["pagination"]["next"])
    assert {row["id"] for row in first["data"] + second["data"]} == wanted


def test_a_page_token_belongs_to_one_query(tenant: Tenant, client: Client) -> None:
    forty_of_one_mailbox_in_one_second(tenant)
    token = client.page(HOLD_LIST, ADMIN, size=25)["meta"]["pagination"]["next"]
    other = ADMIN | {"searchBy": {"fieldName": "subject", "value": "Mail"}}
    for item, wrong in ((other, token), (ADMIN, "made up"), (ADMIN, token[:-4]), (ADMIN, 7)):
        error = client.error(HOLD_LIST, item, meta={"pagination": {"pageToken": wrong}})
        assert error["field"] == "meta.pagination.pageToken"


@pytest.mark.parametrize("size", [0, -1, 501, "25", 2.5, True, None])
def test_the_size_of_a_page_is_a_number_from_1_to_500(client: Client, size: object) -> None:
    error = client.error(HOLD_LIST, ADMIN, meta={"pagination": {"pageSize": size}})
    assert error["field"] == "meta.pagination.pageSize"


# -- release and reject


def test_release(tenant: Tenant, client: Client) -> None:
    ann, bob = tenant.add(a_mail(recipients=["ann@corp.example", "bob@corp.example"]))
    assert client.data(RELEASE, {"id": ann.held_id}) == [{"id": ann.held_id, "release": True}]
    assert (tenant.released, ann.status, bob.status) == ([ann.held_id], "accepted", "held")
    assert client.data(RELEASE, {"id": ann.held_id}) == [{"id": ann.held_id, "release": False}]
    assert tenant.released == [ann.held_id]
    assert subjects(client) == ["Mail 1"]


def test_release_of_several_items_does_what_it_can(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail())
    body = client.post(RELEASE, {"id": "unknown"}, {"id": row.held_id}, {}).json()
    assert body["data"] == [{"id": row.held_id, "release": True}]
    assert [(one["key"], one["errors"][0]["code"]) for one in body["fail"]] == [
        ({"id": "unknown"}, "xdk_failure"),
        ({}, "err_validation_null"),
    ]


@pytest.mark.parametrize(("path", "item"), [(RELEASE, lambda one: {"id": one}), (REJECT, lambda one: {"ids": [one]})])
def test_a_tracking_id_is_an_invalid_token_unless_the_tenant_takes_it(tenant: Tenant, path: str, item) -> None:
    client = Client(tenant)
    (row,) = tenant.add(a_mail())
    error = client.error(path, item(row.tracking_id))
    assert (error["code"], error["message"]) == ("xdk_failure", "0007 Invalid token")
    assert (row.status, tenant.released, tenant.rejected) == ("held", [], [])
    tenant.release_accepts_tracking_id = True
    assert client.data(path, item(row.tracking_id))[0]["id"] == row.tracking_id
    assert row.status != "held"


def test_a_truncated_id_is_a_bad_request_without_a_body(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail())
    response = client.post(RELEASE, {"id": row.held_id[:40]})
    assert (response.status_code, response.content) == (400, b"")


def test_reject_answers_a_row_for_each_id(tenant: Tenant, client: Client) -> None:
    first, second = tenant.add(a_mail(1), a_mail(2))
    tenant.set_status(second.tracking_id, "accepted")
    reason = "MESSAGE CONTAINS CONFIDENTIAL INFORMATION"
    item = {"ids": [first.held_id, second.held_id], "message": "no", "reasonType": reason, "notify": True}
    assert client.data(REJECT, item) == [
        {"id": first.held_id, "reject": True},
        {"id": second.held_id, "reject": False},
    ]
    assert tenant.rejected == [Rejection(first.held_id, "no", reason, True)]
    assert (first.status, second.status) == ("rejected", "accepted")


def test_reject_needs_ids_only(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail())
    client.data(REJECT, {"ids": [row.held_id]})
    assert tenant.rejected == [Rejection(row.held_id, None, None, False)]


def test_the_documented_reasons_are_five() -> None:
    assert len(REASON_TYPES) == 5
    assert all(reason == reason.upper() for reason in REASON_TYPES)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ids": None}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": "one"}, "ids"),
        ({"ids": [""]}, "ids"),
        ({"reasonType": "inappropriate_communication"}, "reasonType"),
        ({"reasonType": None}, "reasonType"),
        ({"message": None}, "message"),
        ({"notify": "false"}, "notify"),
        ({"notify": None}, "notify"),
    ],
)
def test_reject_refuses(tenant: Tenant, client: Client, change: dict, field: str) -> None:
    (row,) = tenant.add(a_mail())
    assert client.error(REJECT, {"ids": [row.held_id]} | change)["field"] == field
    assert tenant.rejected == []


@pytest.mark.parametrize("path", [RELEASE, REJECT])
def test_no_items_are_refused(client: Client, path: str) -> None:
    assert client.error(path)["field"] == "data"
