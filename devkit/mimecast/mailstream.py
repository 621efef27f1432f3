"""A believable stream of mail, the same for the same seed."""

from __future__ import annotations

import html
import random
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from devkit.mimecast.mail import AttachedFile, Mail, Route
from devkit.mimecast.mailwords import (
    FILES,
    FIRST_NAMES,
    HOLD_REASONS,
    LAST_NAMES,
    ORDINARY_SUBJECTS,
    OUTSIDE_DOMAINS,
    RISKS,
    SUSPICIOUS_SUBJECTS,
)

ROUTE_WEIGHTS: dict[Route, int] = {"inbound": 70, "outbound": 18, "internal": 12}
STATUS_WEIGHTS = {
    "held": 25,
    "archived": 38,
    "accepted": 10,
    "delivery": 5,
    "rejected": 9,
    "bounced": 7,
    "deferred": 6,
}
RECIPIENTS_WEIGHTS = {1: 75, 2: 14, 3: 7, 6: 4}
PEOPLE_EACH_DOMAIN = 15
MIXED_STATUS_SHARE = 0.05
ENVELOPE_DIFFERS_SHARE = 0.2
ATTACHMENT_SHARE = 0.3
VERDICT_SHARE = 0.6  # of held inbound mail; other mail has none
SMALLEST_FILE_BYTES, LARGEST_FILE_BYTES = 200, 6000
DEFAULT_ATTACHMENT_BYTES = 4096
LONGEST_INDEXING_S = 55 * 60  # "up to one hour" (architecture, invariants)


class MailStream:
    """Makes mails. Two streams with the same arguments, asked the same, give the same.

    Args:
        seed: What the stream depends on.
        domains: Domains of the tenant.
        late_share: How many mails (0 to 1) are indexed late, by up to 55 minutes.
    """

    def __init__(self, seed: int, domains: Sequence[str] = ("corp.example",), late_share: float = 0.0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._late_share = late_share
        self._inside = [self._person(domain) for domain in domains for _ in range(PEOPLE_EACH_DOMAIN)]
        self._outside = [self._person(domain) for domain in OUTSIDE_DOMAINS for _ in range(PEOPLE_EACH_DOMAIN // 3)]

    def mails(self, count: int, start: datetime, end: datetime) -> list[Mail]:
        """A mixture of all there is.

        Args:
            count: How many mails; some have several recipients, and so several rows.
            start: Earliest receipt.
            end: Latest receipt.

        Returns:
            The mails, oldest first.
        """
        return [self._mail(received) for received in self._times(count, start, end)]

    def held_mails(
        self,
        count: int,
        start: datetime,
        end: datetime,
        attachments_each: int = 1,
        attachment_bytes: int = DEFAULT_ATTACHMENT_BYTES,
    ) -> list[Mail]:
        """Inbound mails on hold with one recipient each: one tracked and one held row for each mail.

        Args:
            count: How many.
            start: Earliest receipt.
            end: Latest receipt.
            attachments_each: Attachments of each mail.
            attachment_bytes: Size of each attachment.

        Returns:
            The mails, oldest first.
        """
        sizes = [attachment_bytes] * attachments_each
        return [self._mail(received, "held", "inbound", 1, sizes) for received in self._times(count, start, end)]

    def _times(self, count: int, start: datetime, end: datetime) -> list[datetime]:
        span_s = int((end - start).total_seconds())
        return [
            start + timedelta(seconds=second) for second in sorted(self._random.choices(range(span_s + 1), k=count))
        ]

    def _pick(self, weights: dict[Any, int]) -> Any:
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _person(self, domain: str) -> tuple[str, str]:
        """Address and display name; some have no display name."""
        first, last = self._random.choice(FIRST_NAMES), self._random.choice(LAST_NAMES)
        local = f"{_ascii(first)}.{_ascii(last)}{self._random.randrange(100)}".lower()
        domain = domain.encode("idna").decode()
        return f"{local}@{domain}", "" if self._random.random() < 0.3 else f"{first} {last}"

    def _mail(
        self,
        received: datetime,
        status: str | None = None,
        route: Route | None = None,
        recipient_count: int | None = None,
        file_sizes: Sequence[int] | None = None,
    ) -> Mail:
        route = route or self._pick(ROUTE_WEIGHTS)
        status = status or self._pick(STATUS_WEIGHTS)
        senders = self._outside if route == "inbound" else self._inside
        others = self._outside if route == "outbound" else self._inside
        sender = self._random.choice(senders)
        recipients = self._random.sample(others, recipient_count or self._pick(RECIPIENTS_WEIGHTS))
        addresses = list(dict.fromkeys(address for address, _ in recipients))
        spam = status == "held" and route == "inbound"
        subject = self._subject(spam)
        info, reason = self._random.choice(HOLD_REASONS)
        text = (
            f"Hello,\r\n\r\n{subject}\r\nhttps://{sender[0].rpartition('@')[2]}/r/{self._random.randrange(10**6)}\r\n"
        )
        return Mail(
            message_id=f"<{self._random.getrandbits(64):016x}.{int(received.timestamp())}@{sender[0].rpartition('@')[2]}>",
            sender=sender[0],
            envelope=self._envelope(sender[0], status),
            recipients=addresses,
            names={address: name for address, name in [sender, *recipients] if name},
            received=received,
            sent=received - timedelta(seconds=self._random.randrange(1, 90)),
            indexed_at=self._indexed_at(received),
            subject=subject,
            sender_ip=f"198.51.100.{self._random.randrange(1, 255)}",
            route=route,
            status=self._statuses(status, addresses),
            info=info if status == "held" else "",
            queue_reason=reason,
            spam_score=self._random.randrange(5, 30) if spam else self._random.randrange(0, 4),
            verdict=self._verdict() if spam and self._random.random() < VERDICT_SHARE else None,
            text=text,
            html=f"<html><body><p>{html.escape(text)}</p></body></html>",
            attachments=self._files(file_sizes),
        )

    def _subject(self, spam: bool) -> str:
        subjects = SUSPICIOUS_SUBJECTS if spam and self._random.random() < 0.6 else ORDINARY_SUBJECTS
        return self._random.choice(subjects).replace("{number}", str(self._random.randrange(100, 1000)))

    def _envelope(self, sender: str, status: str) -> str:
        if status == "bounced":
            return "<>"
        if self._random.random() >= ENVELOPE_DIFFERS_SHARE:
            return sender
        return f"bounces+{self._random.randrange(10**6)}@{sender.rpartition('@')[2]}"

    def _indexed_at(self, received: datetime) -> datetime | None:
        if self._random.random() >= self._late_share:
            return None
        return received + timedelta(seconds=self._random.randrange(LONGEST_INDEXING_S))

    def _statuses(self, status: str, addresses: list[str]) -> str | dict[str, str]:
        """Sometimes a mail's recipients fare differently."""
        if len(addresses) == 1 or self._random.random() >= MIXED_STATUS_SHARE * len(addresses):
            return status
        return {address: self._pick(STATUS_WEIGHTS) for address in addresses}

    def _verdict(self) -> dict[str, Any]:
        risk = self._random.choice(RISKS)
        category = self._random.choice(("spam", "phishing", "malware"))
        return {
            "decision": "spam" if risk in ("medium", "high") else "none",
            "description": "",
            "risk": risk,
            "categories": [{"name": category, "risk": risk, "subcategories": [{"name": "content", "risk": risk}]}],
        }

    def _files(self, sizes: Sequence[int] | None) -> list[AttachedFile]:
        if sizes is None:
            count = self._random.choice((1, 1, 2, 3)) if self._random.random() < ATTACHMENT_SHARE else 0
            sizes = [self._random.randrange(SMALLEST_FILE_BYTES, LARGEST_FILE_BYTES) for _ in range(count)]
        files = []
        for size in sizes:
            name, content_type, head = self._random.choice(FILES)
            content = (head + self._random.randbytes(max(0, size - len(head))))[:size]
            files.append(AttachedFile(name, content, content_type))
        return files


def _ascii(text: str) -> str:
    """The text without accents and whatever else an address can't have."""
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode()
    return plain.replace("'", "")
