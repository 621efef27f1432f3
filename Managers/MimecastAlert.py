"""From a tracked message, its details and its held messages to an alert with events. Pure, and nothing but scalars.

A date, bytes or a set anywhere in an event would cost the whole package (platform contract, 3): events hold only
strings, numbers and booleans, and every event has the same keys whichever credentials are used.
"""

from __future__ import annotations

import base64
import html
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from MimecastConstants import PRIORITY_INFORMATIONAL, PRODUCT, RISK_PRIORITIES, VENDOR
from MimecastHoldQueue import HeldMatch
from MimecastModels import Component, MessageDetails, TrackedMessage, write_moment

if TYPE_CHECKING:
    from SiemplifyConnectorsDataModel import AlertInfo
    from SiemplifyDataModel import Attachment

EVENT_MESSAGE = "Message"
EVENT_COMPONENT = "Message Component"
DEFAULT_RULE = "Mimecast Email"

MAX_BODY_CHARS = 4096
"""How much of the body an event carries; the rest stays in Mimecast."""
MAX_TEXT_CHARS = 1024
"""Longest subject, info or reason in an event."""
MAX_FILE_NAME_CHARS = 120

NOT_AVAILABLE = "not available"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_UNSAFE_IN_FILE_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')
_TAGS = re.compile(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>")
_SHA256 = re.compile(r"(?i)^[0-9a-f]{64}$")
_URL = re.compile(r"(?i)\bhttps?://[^\s<>\"')\]]+")

Event = dict[str, str | int | float | bool]


@dataclass(frozen=True)
class FetchedFile:
    """A file of a held message: its content in base64, or why it is not there."""

    name: str
    size: int
    content: str = field(default="", repr=False)
    problem: str = ""


@dataclass(frozen=True)
class IngestedMessage:
    """All that is known about a tracked message when its alert is built.

    Attributes:
        row: The tracked row.
        details: Its details; None if Mimecast could not give them.
        held: For each recipient of a held message, what the hold queue says.
        held_problem: Why the hold queue could not be used at all.
        files: Its attachments that were fetched, or could not be.
        files_problem: Why its attachments could not even be listed.
    """

    row: TrackedMessage
    details: MessageDetails | None
    held: Mapping[str, HeldMatch] = field(default_factory=dict)
    held_problem: str = ""
    files: tuple[FetchedFile, ...] = ()
    files_problem: str = ""

    @property
    def risk(self) -> str:
        """Risk of the verdict in lower case; empty if unknown."""
        return self.details.risk if self.details else ""

    @property
    def queue_reason(self) -> str:
        """Why the message is in a queue, as Mimecast's policies are named; empty if unknown."""
        return cut(self.details.queue_info.reason.strip()) if self.details else ""

    @property
    def rule(self) -> str:
        """The alert's rule: storms are cut, and cases filtered, by it."""
        return self.queue_reason or DEFAULT_RULE


def cut(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Shorten a text, and show that it was."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def unix_ms(moment: datetime) -> int:
    """Milliseconds since 1970, as the platform counts time."""
    return (moment - _EPOCH) // _MS


def safe_file_name(name: str) -> str:
    """Make a file name that can do no harm wherever it is saved or shown: no path, no control or direction marks."""
    last = PurePosixPath(name.replace("\\", "/")).name
    clean = _UNSAFE_IN_FILE_NAME.sub("_", last).strip(" .")
    if len(clean) > MAX_FILE_NAME_CHARS:
        suffix = PurePosixPath(clean).suffix[:16]
        clean = clean[: MAX_FILE_NAME_CHARS - len(suffix)] + suffix
    return clean or "attachment"


def body_text(details: MessageDetails) -> str:
    """The readable text of the body: the plain part, or the HTML part without its markup."""
    info = details.recipient_info.message_info
    text = info.text_body or html.unescape(_TAGS.sub(" ", info.html_body))
    return " ".join(text.split())


def alert_times(row: TrackedMessage, now: datetime) -> int:
    """Start and end of the alert: the receipt; for a row without a readable time, now."""
    return unix_ms(row.received or row.sent or now)


def build_events(message: IngestedMessage, now: datetime, device_product_field: str) -> list[Event]:
    """Build the events of an alert: one for each recipient, one for each component.

    Args:
        message: What is known.
        now: The present moment, for rows without a time.
        device_product_field: Name of the field in which the platform looks for the product.

    Returns:
        Flat events. A message without recipients has one event with an empty recipient.
    """
    row, details = message.row, message.details
    common = _common(message, now, device_product_field)
    sender_header = row.from_hdr.address or row.from_env.address
    spam = details.spam_info if details else None
    verdict = details.verdict if details else None
    score = row.spam_score if row.spam_score is not None else (spam.spam_score if spam else None)
    body = body_text(details) if details else ""
    url = _URL.search(body)
    about = common | {
        "event_type": EVENT_MESSAGE,
        "sender": sender_header,
        "sender_envelope": row.from_env.address,
        "sender_header": row.from_hdr.address,
        "sender_name": cut(row.from_hdr.displayable_name or row.from_env.displayable_name),
        "sender_ip": row.sender_ip or (details.recipient_info.recipient_meta_info.remote_ip if details else ""),
        "sent_time": write_moment(row.sent) if row.sent else "",
        "has_attachments": row.attachments,
        "info": cut(row.info),
        "queue_reason": message.queue_reason,
        "queue_detail_status": cut(details.recipient_info.tx_info.queue_detail_status) if details else "",
        "spam_score": score if score is not None else "",
        "detection_level": row.detection_level or (spam.detection_level if spam else ""),
        "verdict": cut(verdict.decision or verdict.description) if verdict else "",
        "verdict_risk": message.risk,
        "verdict_categories": cut(", ".join(c.name for c in verdict.categories if c.name)) if verdict else "",
        "cc": cut(", ".join(p.address for p in details.recipient_info.message_info.cc if p.address)) if details else "",
        "body": cut(body, MAX_BODY_CHARS),
        "url": url.group(0) if url else "",
        "details_unavailable": details is None,
        "attachment_names": cut(", ".join(safe_file_name(f.name) for f in message.files if not f.problem)),
        "attachments_unavailable": cut(_missing_files(message)),
    }
    events: list[Event] = [
        about | _recipient(message, recipient, name)
        for recipient, name in {person.address: person.displayable_name for person in row.to if person.address}.items()
    ]
    if not events:
        events = [about | _recipient(message, "", "")]
    events += [common | _component(component) for component in (details.components if details else ())]
    return events


def _common(message: IngestedMessage, now: datetime, device_product_field: str) -> Event:
    row = message.row
    received = row.received or row.sent or now
    return {
        device_product_field: PRODUCT,
        "device_vendor": VENDOR,
        "device_product": PRODUCT,
        "tracking_id": row.tracking_id,
        "message_id": message.details.message_id if message.details else "",
        "subject": cut(row.subject),
        "status": row.status,
        "route": row.route,
        "received_time": unix_ms(received),
        "received_time_utc": write_moment(received),
    }


def _recipient(message: IngestedMessage, recipient: str, name: str) -> Event:
    match = message.held.get(recipient, HeldMatch())
    problem = (message.held_problem or match.reason) if message.row.is_held and match.held is None else ""
    return {
        "recipient": recipient,
        "recipient_name": cut(name),
        "held_id": match.held.id if match.held else "",
        "hold_reason": cut(match.held.reason) if match.held else "",
        "hold_policy": cut(match.held.policy_info) if match.held else "",
        "held_id_unavailable": cut(problem),
    }


def _missing_files(message: IngestedMessage) -> str:
    if message.files_problem:
        return f"{NOT_AVAILABLE}: {message.files_problem}"
    return "; ".join(f"{safe_file_name(f.name)} {NOT_AVAILABLE}: {f.problem}" for f in message.files if f.problem)


def _component(component: Component) -> Event:
    name = safe_file_name(component.any_name) if component.any_name else ""
    return {
        "event_type": EVENT_COMPONENT,
        "file_name": name,
        "file_type": cut(component.any_type),
        "file_extension": cut(component.extension or PurePosixPath(name).suffix.lstrip(".")),
        "file_hash": component.hash.lower() if _SHA256.match(component.hash) else cut(component.hash),
        "file_size": component.any_size,
    }


def build_alert(message: IngestedMessage, events: list[Event], environment: str, now: datetime) -> AlertInfo:
    """Build the alert.

    Args:
        message: What is known.
        events: Its events.
        environment: The environment it belongs to.
        now: The present moment, for rows without a time.

    Returns:
        The platform's alert object, without attachments.
    """
    from SiemplifyConnectorsDataModel import AlertInfo

    row, details = message.row, message.details
    detail_status = details.recipient_info.tx_info.queue_detail_status if details else ""
    alert = AlertInfo()
    alert.environment = environment
    alert.ticket_id = row.tracking_id
    alert.display_id = str(uuid.uuid4())
    alert.name = f"{row.status.strip().capitalize() or 'Tracked'} Message"
    alert.description = cut(detail_status or row.info)
    alert.reason = message.queue_reason or cut(row.info)
    alert.rule_generator = message.rule
    alert.source_grouping_identifier = (details.message_id if details else "") or row.tracking_id
    alert.device_vendor = VENDOR
    alert.device_product = PRODUCT
    alert.priority = RISK_PRIORITIES.get(message.risk, PRIORITY_INFORMATIONAL)
    alert.start_time = alert.end_time = alert_times(row, now)
    alert.events = events
    return alert


def build_attachment(file: FetchedFile, alert_id: str) -> Attachment:
    """Build the platform's attachment object of a fetched file."""
    from SiemplifyDataModel import Attachment

    name = safe_file_name(file.name)
    path = PurePosixPath(name)
    return Attachment(
        case_identifier="",
        alert_identifier=alert_id,
        base64_blob=file.content,
        attachment_type=path.suffix or ".bin",
        name=path.stem,
        description="Attachment of the held message",
        is_favorite=False,
        orig_size=file.size,
        size=len(file.content),
    )


def encode_file(name: str, content: bytes) -> FetchedFile:
    """Make a fetched file of its bytes."""
    return FetchedFile(name=name, size=len(content), content=base64.b64encode(content).decode("ascii"))
