from __future__ import annotations

import html
from datetime import timedelta

import pytest
from mimecast_client import (
    INFO,
    NOW,
    REPORT,
    SANDBOX,
    Client,
    a_file,
    a_mail,
    a_tenant,
    minutes,
    when,
)

from devkit.mimecast.mail import Mail, Odd
from devkit.mimecast.tenant import Report, Tenant


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


def details(tenant: Tenant, mail: Mail, **item: object) -> dict:
    (row,) = tenant.add(mail)
    (shown,) = Client(tenant).data(INFO, {"id": row.tracking_id} | item)
    assert shown["id"] == row.tracking_id
    return shown


def test_details_of_a_held_message(tenant: Tenant) -> None:
    shown = details(
        tenant,
        a_mail(attachments=[a_file()], queue_reason="Fraud Alert", info="Message Hold Applied - Custom"),
        loadContent=True,
    )
    info, tx = shown["recipientInfo"]["messageInfo"], shown["recipientInfo"]["txInfo"]
    assert tx["queueDetailStatus"] == "Message Hold Applied - Custom"
    assert shown["queueInfo"]["reason"] == "Fraud Alert"
    assert (info["textBody"], info["htmlBody"]) == ("Hello", "<p>Hello</p>")
    assert (info["fromHeader"], info["to"]) == ("eve@sender.example", ["ann@corp.example"])
    names = [component["fileName"] for component in tx["transmissionComponents"]]
    assert names == ["transmission.eml", "body.htm", "body.txt", "a.txt"]
    assert tx["transmissionComponents"][-1] == {
        "fileName": "a.txt",
        "fileType": "Email Attachment",
        "hash": a_file().sha256,
        "txSize": 17,
    }
    assert "deliveredMessage" not in shown
    assert "recipientMetaInfo" not in shown["recipientInfo"]


def test_the_message_id_stands_in_the_escaped_raw_header(tenant: Tenant) -> None:
    raw = details(tenant, a_mail(subject="<b>é</b>"))["recipientInfo"]["messageInfo"]["transmissionInfo"]
    assert raw.startswith("<pre>\n")
    assert raw.endswith("\n</pre>")
    assert "Message-ID: &lt;1@sender.example&gt;\r\n" in raw
    assert "<b>" not in raw
    assert "\r\nMessage-ID: <1@sender.example>\r\n" in html.unescape(raw)


def test_details_of_an_archived_message(tenant: Tenant) -> None:
    shown = details(tenant, a_mail(status="archived", recipients=["a.b@corp.example"]))
    assert "queueInfo" not in shown
    assert list(shown["deliveredMessage"]) == ["a.b@corp.example"]
    assert shown["deliveredMessage"]["a.b@corp.example"]["deliveryMetaInfo"]["components"][0]["mimeType"]
    assert shown["recipientInfo"]["recipientMetaInfo"]["components"][0]["hash"]
    assert shown["retentionInfo"]["currentPurgeDate"] == when(NOW - minutes(10) + timedelta(days=30))


def test_bodies_and_attachments_come_only_when_content_is_loaded(tenant: Tenant) -> None:
    without = details(tenant, a_mail(1))["recipientInfo"]["messageInfo"]
    assert {"htmlBody", "textBody", "attachments"}.isdisjoint(without)
    assert details(tenant, a_mail(2), loadContent="true")["recipientInfo"]["messageInfo"]["attachments"] == []


def test_the_verdict_is_often_absent(tenant: Tenant) -> None:
    assert "verdict" not in details(tenant, a_mail(1))["spamInfo"]["spamProcessingDetail"]
    assert "spamProcessingDetail" not in details(tenant, a_mail(2, route="outbound"))["spamInfo"]
    risky = details(tenant, a_mail(3, route="outbound", verdict={"risk": "high"}))
    assert risky["spamInfo"]["spamProcessingDetail"]["verdict"]["risk"] == "high"


def test_odd_details(tenant: Tenant) -> None:
    blank = details(tenant, a_mail(1, odd=Odd(null_blocks=True)))
    assert {name for name, value in blank.items() if value is None} == {
        "recipientInfo",
        "deliveredMessage",
        "retentionInfo",
        "spamInfo",
        "queueInfo",
    }
    assert "queueInfo" not in details(tenant, a_mail(2, odd=Odd(no_queue_info=True)))
    bare = details(tenant, a_mail(3, odd=Odd(no_transmission_info=True)))
    assert "transmissionInfo" not in bare["recipientInfo"]["messageInfo"]
    over = Odd(details={"status": "strange", "recipientInfo": {"txInfo": None}, "queueInfo": {"reason": 5}})
    laid_over = details(tenant, a_mail(4, odd=over))
    assert (laid_over["status"], laid_over["recipientInfo"]["txInfo"]) == ("strange", None)
    assert laid_over["recipientInfo"]["messageInfo"]["subject"] == "Mail 4"
    assert (laid_over["queueInfo"]["reason"], laid_over["queueInfo"]["type"]) == (5, 1)


def test_details_that_are_missing(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail(odd=Odd(details_missing=True)))
    assert [one["id"] for one in client.search()] == [row.tracking_id]
    assert client.error(INFO, {"id": row.tracking_id})["field"] == "id"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({}, "err_validation_null"),
        ({"id": ""}, "err_validation_blank"),
        ({"id": 5}, "err_validation_value_not_allowed"),
        ({"id": "unknown"}, "xdk_failure"),
    ],
)
def test_details_refuse(client: Client, item: dict, code: str) -> None:
    error = client.error(INFO, item)
    assert (error["code"], error["field"]) == (code, "id")


def test_details_take_no_held_id_and_no_truncated_id(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail())
    assert client.error(INFO, {"id": row.held_id})["code"] == "xdk_failure"
    response = client.post(INFO, {"id": row.tracking_id[:-5]})
    assert (response.status_code, response.content) == (400, b"")


def test_release_to_sandbox_takes_a_message_off_the_hold_queue_once(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    (row,) = tenant.add(a_mail())
    assert client.data(SANDBOX, {"id": row.tracking_id}) == [{"id": row.tracking_id, "release": True}]
    assert (tenant.sandboxed, tenant.released) == ([row.tracking_id], [])
    assert client.error(SANDBOX, {"id": row.tracking_id})["code"] == "err_message_not_held"
    assert tenant.sandboxed == [row.tracking_id]


def test_report_message(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    held, bounced, deferred = (
        tenant.add(a_mail(n, status=s))[0] for n, s in enumerate(("held", "bounced", "deferred"))
    )
    client.data(REPORT, {"id": held.tracking_id, "type": "phishing", "comment": "no"})
    client.data(REPORT, {"id": bounced.tracking_id, "type": "spam"})
    assert tenant.reported == [
        Report(held.tracking_id, "phishing", "no"),
        Report(bounced.tracking_id, "spam", None),
    ]
    assert client.error(REPORT, {"id": deferred.tracking_id, "type": "spam"})["code"] == "err_message_not_reportable"
    assert client.error(REPORT, {"id": held.tracking_id, "type": "Spam"})["field"] == "type"
    assert client.error(REPORT, {"id": held.tracking_id, "type": "spam", "comment": None})["field"] == "comment"
    assert len(tenant.reported) == 2
