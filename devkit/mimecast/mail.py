"""One mail as the embedded Mimecast knows it, before it becomes rows of the API.

A mail gives one tracked row for each recipient, each with a tracking ID of its own, and, while it is on hold, one held
row for each recipient with a different held ID (facts 3.5: the two kinds are not interchangeable).
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal

Route = Literal["inbound", "outbound", "internal"]

# Status and route vocabulary of message-finder/search (facts 3.2).
STATUSES = (
    "processing",
    "delivery",
    "system",
    "held",
    "accepted",
    "bulk_processing",
    "bulk_delivery",
    "bounced",
    "deferred",
    "rejected",
    "archived",
)
ROUTES = ("inbound", "outbound", "internal")

# How many bytes stand behind each kind of opaque ID. Tracking and held IDs differ in length, as the real ones do.
TRACKING_ID_BYTES = 180
HELD_ID_BYTES = 135
ATTACHMENT_ID_BYTES = 90
ARCHIVE_ID_BYTES = 150
ID_PREFIX = "eN"  # what base64 makes of the first bytes of a zlib stream; Mimecast's IDs all begin so

DEFAULT_INFO = {
    "held": "Message Hold Applied - Spam Signature policy",
    "archived": "Indexed and archived",
    "accepted": "Message accepted",
    "delivery": "Awaiting delivery",
    "bounced": "550 5.1.1 Recipient address rejected: User unknown",
    "deferred": "451 4.7.1 Greylisting in action, please come back later",
    "rejected": "Rejected prior to DATA acceptance",
    "processing": "Message is being processed",
}


def opaque_id(size: int, *parts: str) -> str:
    """An ID that looks like Mimecast's and is always the same for the same parts.

    Args:
        size: How many bytes stand behind it.
        parts: What it identifies.

    Returns:
        ``eN`` and URL-safe base64 without padding.
    """
    digest = hashlib.shake_256("\x00".join(parts).encode()).digest(size)
    return ID_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class AttachedFile:
    """A file attached to a mail."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"

    @property
    def extension(self) -> str:
        """The file name's extension without its dot."""
        return PurePosixPath(self.filename).suffix.lstrip(".")

    @cached_property
    def sha256(self) -> str:
        """Hash of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Odd:
    """What is odd about a mail's rows; each of it was seen in real answers (facts 3.2, 3.3) or follows from "optional".

    Attributes:
        details_missing: get-message-info answers that it has no such message.
        null_blocks: Every block of the details is null.
        no_to: The tracked row has no ``to``.
        no_queue_info: The details have no ``queueInfo``, even on hold.
        no_transmission_info: The details have no raw headers, so no Message-ID can be learnt.
        no_names: No address has a ``displayableName``.
        not_in_hold_queue: Tracked as held, but without a held row.
        tracked: Merged over the tracked row; ``None`` becomes null.
        details: Merged over the details, block by block; ``None`` becomes null.
    """

    details_missing: bool = False
    null_blocks: bool = False
    no_to: bool = False
    no_queue_info: bool = False
    no_transmission_info: bool = False
    no_names: bool = False
    not_in_hold_queue: bool = False
    tracked: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


SAME_AS_HEADER = "="


@dataclass(frozen=True)
class Mail:
    """One mail.

    Attributes:
        message_id: Internet Message-ID with its angle brackets.
        sender: Header address of the sender.
        recipients: Addresses; one tracked row for each.
        received: When Mimecast received it (aware). Rows show it to the minute, the hold queue to the second.
        envelope: Envelope address of the sender: the header's, another, ``<>``, or None for "absent from the row".
        names: Display names by address.
        status: For all recipients, or one for each address.
        info: The tracked row's ``info`` and the details' ``queueDetailStatus``; empty = what is usual for the status.
        queue_reason: ``queueInfo.reason`` of the details and ``policyInfo`` of the held row.
        verdict: ``spamProcessingDetail.verdict``; None is the normal case (facts 3.3).
        indexed_at: From when on the search finds it; None = at once. Up to an hour late in real life.
    """

    message_id: str
    sender: str
    recipients: Sequence[str]
    received: datetime
    subject: str = ""
    envelope: str | None = SAME_AS_HEADER
    names: Mapping[str, str] = field(default_factory=dict)
    cc: Sequence[str] = ()
    sent: datetime | None = None
    sender_ip: str = "192.0.2.25"
    route: Route = "inbound"
    status: str | Mapping[str, str] = "held"
    info: str = ""
    queue_reason: str = "Relaxed Spam Detection"
    spam_score: int = 0
    verdict: Mapping[str, Any] | None = None
    text: str = ""
    html: str = ""
    attachments: Sequence[AttachedFile] = ()
    indexed_at: datetime | None = None
    odd: Odd = Odd()

    def __post_init__(self) -> None:
        if self.received.tzinfo is None or (self.indexed_at and self.indexed_at.tzinfo is None):
            raise ValueError("times of a mail need a time zone")
        if self.route not in ROUTES:
            raise ValueError(f"unknown route {self.route!r}")
        statuses = [self.status] if isinstance(self.status, str) else list(self.status.values())
        if unknown := set(statuses) - set(STATUSES):
            raise ValueError(f"unknown status {sorted(unknown)}")
        if not isinstance(self.status, str) and set(self.status) != set(self.recipients):
            raise ValueError("a status for each recipient, or one for all")

    @property
    def envelope_sender(self) -> str | None:
        """Envelope address of the sender, None if the row has none."""
        return self.sender if self.envelope == SAME_AS_HEADER else self.envelope

    def status_of(self, recipient: str) -> str:
        """The status this recipient's row starts with."""
        return self.status if isinstance(self.status, str) else self.status[recipient]

    @cached_property
    def key(self) -> str:
        """What tells this mail from every other; all its IDs are made from it."""
        return f"{self.message_id} {self.received.isoformat()} {self.sender}"

    @cached_property
    def size(self) -> int:
        """Bytes of the whole mail, roughly as they were transmitted."""
        bodies = len(self.text.encode()) + len(self.html.encode())
        return len(self.raw_headers) + bodies + sum(len(file.content) * 4 // 3 for file in self.attachments)

    @cached_property
    def raw_headers(self) -> str:
        """The mail's header as it was transmitted."""
        sent = self.sent or self.received
        lines = [
            f"Received: from mail.{self.sender.rpartition('@')[2]} ([{self.sender_ip}]) by relay.mimecast.example",
            f"From: {_encoded(self.names.get(self.sender, ''))} <{self.sender}>",
            f"To: {', '.join(self.recipients)}",
            f"Subject: {_encoded(self.subject)}",
            f"Message-ID: {self.message_id}",
            f"Date: {format_datetime(sent)}",
            "MIME-Version: 1.0",
            "Authentication-Results: relay.mimecast.example;\r\n\tdkim=none;\r\n\tdmarc=none;\r\n\tspf=pass",
            f"X-Mimecast-Spam-Score: {self.spam_score}",
            'Content-Type: multipart/alternative; boundary="--_part_1"',
        ]
        return "\r\n".join(lines) + "\r\n\r\n"

    @cached_property
    def transmission_info(self) -> str:
        """The raw header as get-message-info shows it: HTML-escaped inside ``<pre>``."""
        return f"<pre>\n{html.escape(self.raw_headers)}\n</pre>"

    @cached_property
    def components(self) -> list[tuple[str, AttachedFile]]:
        """What the mail is made of: (type, file) of the transmission, the bodies and the attachments."""
        parts = [
            ("Email Transmission File", AttachedFile("transmission.eml", self.raw_headers.encode(), "message/rfc822"))
        ]
        if self.html:
            parts.append(("Email Primary Body HTML", AttachedFile("body.htm", self.html.encode(), "text/html")))
        if self.text:
            parts.append(("Email Primary Body Plain Text", AttachedFile("body.txt", self.text.encode(), "text/plain")))
        parts.extend(("Email Attachment", file) for file in self.attachments)
        return parts


def _encoded(text: str) -> str:
    """A header value; RFC 2047 where it isn't ASCII."""
    if text.isascii():
        return text
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="
