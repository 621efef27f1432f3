"""What Mimecast's rows mean. Every block and every field may be missing or null; nothing here raises for that."""

from __future__ import annotations

import hashlib
import html
import math
import re
import threading
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from MimecastConstants import RISKS, STATUS_HELD

MAX_HEADER_CHARS = 998
"""Longest line of a mail (RFC 5322, 2.1.1): a Message-ID can't be longer."""

# At the beginning of a line: an indented one continues the header before it. The value may be on the next line, then
# indented. Blanks are matched one by one, so that a header of many thousand blank lines costs no time.
_MESSAGE_ID = re.compile(
    r"^(?:<pre>)?Message-ID[ \t]*:(?:\r?\n?[ \t])*(<[^<>\r\n]+>|[^\s<>]+)", re.IGNORECASE | re.MULTILINE
)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, (dict, list)) else str(value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _size(value: object) -> int:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 2**53 else 0


def _block(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> object:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_moment(value: object) -> datetime | None:
    """Read a moment of Mimecast's (``2011-12-03T10:15:30+0000``); without an offset it is UTC; None if unreadable."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            from dateutil.parser import isoparse  # knows more of ISO 8601, is slow, and hardly ever needed

            moment = isoparse(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def write_moment(moment: datetime) -> str:
    """Write a moment as Mimecast documents it: UTC, numeric offset without colon, no fraction (facts 2.6)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


T = TypeVar("T")
Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[float | None, BeforeValidator(_number)]
Size = Annotated[int, BeforeValidator(_size)]
Moment = Annotated[datetime | None, BeforeValidator(read_moment)]
Flag = Annotated[bool, BeforeValidator(lambda value: value is True or str(value).lower() == "true")]
Raw = dict[str, Any]

_CONFIG = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", defer_build=True)


# What a missing block is read from; an object made here would have its class built for every start of a script.
_EMPTY_BLOCK: Any = Field(default_factory=dict, validate_default=True)


@dataclass(frozen=True, config=_CONFIG)
class Address:
    """A mail address with the name shown beside it; an empty envelope sender (``<>``) is no address."""

    email_address: Text = ""
    displayable_name: Text = ""

    @cached_property
    def address(self) -> str:
        """The address itself, or an empty text."""
        return self.email_address.strip().strip("<>").strip()


AddressBlock = Annotated[Address, BeforeValidator(_block)]


def _address_text(value: object) -> str:
    """An address that stands as a text in some answers and as an object in others."""
    text = value.get("emailAddress") if isinstance(value, dict) else value
    return _text(text).strip().strip("<>").strip()


def _address_texts(value: object) -> tuple[str, ...]:
    return tuple(address for item in value if (address := _address_text(item))) if isinstance(value, list) else ()


AddressText = Annotated[str, BeforeValidator(_address_text)]
AddressTexts = Annotated[tuple[str, ...], BeforeValidator(_address_texts)]
AddressRows = Annotated[tuple[Address, ...], BeforeValidator(_rows)]


@dataclass(frozen=True, config=_CONFIG)
class TrackedMessage:
    """One row of message tracking (``message-finder/search``)."""

    id: Text = ""
    status: Text = ""
    from_env: AddressBlock = _EMPTY_BLOCK
    from_hdr: AddressBlock = _EMPTY_BLOCK
    to: AddressRows = ()
    subject: Text = ""
    sender_ip: Annotated[Text, Field(alias="senderIP")] = ""
    route: Text = ""
    attachments: Flag = False
    info: Text = ""
    received: Moment = None
    sent: Moment = None
    spam_score: Number = None
    detection_level: Text = ""

    @property
    def tracking_id(self) -> str:
        """The row's id; for a row without one, an id made from what doesn't change about it."""
        if self.id:
            return self.id
        parts = (self.from_env.address, self.from_hdr.address, self.subject, str(self.received), self.sender_ip)
        text = "\n".join((*parts, *(person.address for person in self.to)))
        return "no-id-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def is_held(self) -> bool:
        """Whether the message is on hold now."""
        return self.status.lower() == STATUS_HELD

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients' addresses, without empty ones."""
        return tuple(person.address for person in self.to if person.address)

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """The sender's addresses in envelope and header, without empty ones."""
        return tuple(person.address for person in (self.from_env, self.from_hdr) if person.address)


@dataclass(frozen=True, config=_CONFIG)
class Component:
    """A part of a message, as tracking lists it: an attachment, a body, the transmission file."""

    file_name: Text = ""
    name: Text = ""
    file_type: Text = ""
    type: Text = ""
    mime_type: Text = ""
    extension: Text = ""
    hash: Text = ""
    tx_size: Size = 0
    size: Size = 0

    @property
    def any_name(self) -> str:
        """The file's name, whichever block it came from."""
        return self.file_name or self.name

    @property
    def any_type(self) -> str:
        """What kind of part it is."""
        return self.file_type or self.type or self.mime_type

    @property
    def any_size(self) -> int:
        """Size in bytes, 0 if unknown."""
        return self.tx_size or self.size


ComponentRows = Annotated[tuple[Component, ...], BeforeValidator(_rows)]


@dataclass(frozen=True, config=_CONFIG)
class MessageInfo:
    """What the message itself says."""

    from_header: AddressText = ""
    from_envelope: AddressText = ""
    to: AddressTexts = ()
    sent: Moment = None
    processed: Moment = None
    text_body: Text = ""
    html_body: Text = ""
    transmission_info: Text = ""
    cc: AddressRows = ()


@dataclass(frozen=True, config=_CONFIG)
class RecipientMetaInfo:
    """How the message came in."""

    remote_ip: Text = ""
    components: ComponentRows = ()


@dataclass(frozen=True, config=_CONFIG)
class TxInfo:
    """How the message is to go out; there for held messages."""

    to: AddressText = ""
    queue_detail_status: Text = ""
    transmission_components: ComponentRows = ()


@dataclass(frozen=True, config=_CONFIG)
class RecipientInfo:
    """The blocks about the way to the recipient."""

    message_info: Annotated[MessageInfo, BeforeValidator(_block)] = _EMPTY_BLOCK
    recipient_meta_info: Annotated[RecipientMetaInfo, BeforeValidator(_block)] = _EMPTY_BLOCK
    tx_info: Annotated[TxInfo, BeforeValidator(_block)] = _EMPTY_BLOCK


@dataclass(frozen=True, config=_CONFIG)
class QueueInfo:
    """Why the message is in a queue; there for held and rejected ones."""

    reason: Text = ""


@dataclass(frozen=True, config=_CONFIG)
class Category:
    """One category of the spam verdict."""

    name: Text = ""
    risk: Text = ""


@dataclass(frozen=True, config=_CONFIG)
class Verdict:
    """What Mimecast's scanner decided; often absent."""

    decision: Text = ""
    description: Text = ""
    risk: Text = ""
    categories: Annotated[tuple[Category, ...], BeforeValidator(_rows)] = ()


@dataclass(frozen=True, config=_CONFIG)
class SpamProcessingDetail:
    """The scanner's details."""

    verdict: Annotated[Verdict, BeforeValidator(_block)] = _EMPTY_BLOCK


@dataclass(frozen=True, config=_CONFIG)
class SpamInfo:
    """Spam score and verdict."""

    spam_score: Number = None
    detection_level: Text = ""
    spam_processing_detail: Annotated[SpamProcessingDetail, BeforeValidator(_block)] = _EMPTY_BLOCK


@dataclass(frozen=True, config=_CONFIG)
class MessageDetails:
    """The details of one tracked message (``message-finder/get-message-info``)."""

    id: Text = ""
    status: Text = ""
    recipient_info: Annotated[RecipientInfo, BeforeValidator(_block)] = _EMPTY_BLOCK
    delivered_message: Annotated[Raw, BeforeValidator(_block)] = Field(default_factory=dict, repr=False)
    queue_info: Annotated[QueueInfo, BeforeValidator(_block)] = _EMPTY_BLOCK
    spam_info: Annotated[SpamInfo, BeforeValidator(_block)] = _EMPTY_BLOCK

    @property
    def message_id(self) -> str:
        """The internet Message-ID, with its angle brackets, or an empty text.

        Its only source is the block of raw headers, which Mimecast gives HTML-escaped inside ``<pre>`` (facts 3.3).
        """
        found = _MESSAGE_ID.search(html.unescape(self.recipient_info.message_info.transmission_info))
        return found.group(1)[:MAX_HEADER_CHARS] if found else ""

    @property
    def verdict(self) -> Verdict:
        """The scanner's verdict; empty if there is none."""
        return self.spam_info.spam_processing_detail.verdict

    @property
    def risk(self) -> str:
        """The verdict's risk in lower case, or the highest of its categories', or an empty text if unknown."""
        own = self.verdict.risk.strip().lower()
        if own in RISKS:
            return own
        known = [c.risk.strip().lower() for c in self.verdict.categories if c.risk.strip().lower() in RISKS]
        return max(known, key=RISKS.index, default="")

    @property
    def components(self) -> tuple[Component, ...]:
        """The message's parts: as queued to go out, as received, or as delivered, whichever is there first."""
        info = self.recipient_info
        found = info.tx_info.transmission_components or info.recipient_meta_info.components
        if found:
            return found
        for delivery in self.delivered_message.values():
            meta = delivery.get("deliveryMetaInfo") if isinstance(delivery, dict) else None
            rows = _rows(meta.get("components")) if isinstance(meta, dict) else []
            if rows:
                return _COMPONENTS.validate_python(rows)
        return ()


@dataclass(frozen=True, config=_CONFIG)
class HeldMessage:
    """One row of the hold queue (``gateway/get-hold-message-list``): one message on hold for one recipient."""

    id: Text = ""
    reason: Text = ""
    policy_info: Text = ""
    sender: AddressBlock = Field(alias="from", default_factory=dict, validate_default=True)
    from_header: AddressBlock = _EMPTY_BLOCK
    to: AddressBlock = _EMPTY_BLOCK
    subject: Text = ""
    has_attachments: Flag = False
    size: Size = 0
    date_received: Moment = None

    @cached_property
    def senders(self) -> tuple[str, ...]:
        """The sender's addresses in envelope and header, without empty ones."""
        return tuple(person.address for person in (self.sender, self.from_header) if person.address)


@dataclass(frozen=True, config=_CONFIG)
class HeldAttachment:
    """One file of a held message (``gateway/message/get-message-detail``)."""

    id: Text = ""
    filename: Text = ""
    size: Size = 0
    extension: Text = ""
    content_type: Text = ""
    sha256: Text = ""


class RowReader(Generic[T]):
    """Reads rows of one kind; what it needs for that is made when the first one comes, by one thread.

    Args:
        kind: The model.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._adapter: TypeAdapter[T] | None = None

    def validate_python(self, row: object) -> T:
        """Read a row."""
        if self._adapter is None:
            with _BUILDING:  # kinds share blocks, and pydantic must not build one of them twice at a time
                if self._adapter is None:
                    adapter = TypeAdapter(self._kind)
                    adapter.rebuild()
                    self._adapter = adapter
        return self._adapter.validate_python(row)


_BUILDING = threading.Lock()
_COMPONENTS: RowReader[tuple[Component, ...]] = RowReader(tuple[Component, ...])
TRACKED_MESSAGE = RowReader(TrackedMessage)
MESSAGE_DETAILS = RowReader(MessageDetails)
HELD_MESSAGE = RowReader(HeldMessage)
HELD_ATTACHMENT = RowReader(HeldAttachment)
