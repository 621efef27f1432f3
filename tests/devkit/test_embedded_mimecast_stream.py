from __future__ import annotations

import pytest
from mimecast_client import (
    NOW,
    a_tenant,
    minutes,
)

from devkit.mimecast.mail import Mail
from devkit.mimecast.mailstream import MailStream
from devkit.mimecast.tenant import Tenant


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


def test_the_same_seed_gives_the_same_stream() -> None:
    def made(seed: int) -> list[Mail]:
        stream = MailStream(seed, ("a.example", "b.example"), late_share=0.2)
        start = NOW - minutes(60)
        return [*stream.mails(150, start, NOW), *stream.held_mails(20, start, NOW), *stream.mails(5, start, NOW)]

    assert made(7) == made(7)
    assert made(7) != made(8)
    assert len({mail.message_id for mail in made(7)}) == 175


def test_the_stream_has_everything_in_it() -> None:
    mails = MailStream(1, late_share=0.1).mails(3000, NOW - minutes(600), NOW)
    assert mails == sorted(mails, key=lambda mail: mail.received)
    assert {mail.route for mail in mails} == {"inbound", "outbound", "internal"}
    statuses = {mail.status_of(address) for mail in mails for address in mail.recipients}
    assert statuses == {"held", "archived", "accepted", "delivery", "rejected", "bounced", "deferred"}
    risks = {mail.verdict["risk"] for mail in mails if mail.verdict}
    assert risks == {"negligible", "low", "medium", "high"}
    assert any(mail.verdict is None for mail in mails if mail.status == "held")
    assert max(len(mail.recipients) for mail in mails) == 6
    assert any(not isinstance(mail.status, str) for mail in mails)
    assert any(mail.envelope_sender == "<>" for mail in mails)
    late = [mail.indexed_at - mail.received for mail in mails if mail.indexed_at]
    assert late
    assert max(late) < minutes(60)
    subjects = "".join(mail.subject for mail in mails)
    for piece in ("ü", "見", "عرض", "הצעת", "🎉", ",", '"', "<b>", "&", "\u202e"):
        assert piece in subjects
    files = [file for mail in mails for file in mail.attachments]
    assert {file.extension for file in files} >= {"pdf", "png", "zip", "csv", "js"}


def test_every_mail_of_the_stream_belongs_to_the_tenants_domains() -> None:
    inside = {"a.example", "b.example"}
    for mail in MailStream(2, ("a.example", "b.example")).mails(300, NOW - minutes(60), NOW):
        sender_inside = mail.sender.rpartition("@")[2] in inside
        recipients_inside = {address.rpartition("@")[2] in inside for address in mail.recipients}
        assert (sender_inside, recipients_inside) == {
            "inbound": (False, {True}),
            "outbound": (True, {False}),
            "internal": (True, {True}),
        }[mail.route]


def test_held_mails_have_the_attachments_asked_for(tenant: Tenant) -> None:
    mails = MailStream(3).held_mails(10, NOW - minutes(60), NOW, attachments_each=2, attachment_bytes=70_000)
    assert len(tenant.add(*mails)) == 10
    assert {row.status for row in tenant.rows()} == {"held"}
    assert {len(file.content) for mail in mails for file in mail.attachments} == {70_000}
    assert len({file.sha256 for mail in mails for file in mail.attachments}) == 20
    assert all(NOW - minutes(60) <= mail.received <= NOW for mail in mails)
