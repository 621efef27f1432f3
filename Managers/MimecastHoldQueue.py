"""Finding a tracked message in the hold queue. Mimecast gives no link between the two: tracking ID and held ID differ.

A match is made of recipient, sender, subject and receipt time, and counts only when it is the only possible one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from MimecastModels import HeldMessage, TrackedMessage

RECEIPT_TOLERANCE = timedelta(seconds=60)
"""Tracking gives times by the minute, the hold queue by the second; neither documents which way it rounds."""

_Place = tuple[str, str, datetime]
"""Recipient, subject and minute: what is compared exactly, so that a flood of mail is not searched through."""

UNCERTAIN_NONE = "no message in the hold queue matches"
UNCERTAIN_MANY = "several messages match"
UNCERTAIN_SPARSE = "the tracked message lacks sender, recipient or time"


@dataclass(frozen=True)
class HeldMatch:
    """What was found for one recipient of a tracked message: a held message, or why there is none."""

    held: HeldMessage | None = None
    reason: str = ""


class HoldQueueIndex:
    """The hold queue of a time span, ready to be matched with tracked messages.

    Args:
        held: The rows of the hold queue.
        tracked: All tracked messages of the span, those that are not of interest too: of two that look alike, neither
            may take the other's held message.
    """

    def __init__(self, held: Iterable[HeldMessage], tracked: Iterable[TrackedMessage] = ()) -> None:
        self._held: dict[_Place, list[HeldMessage]] = defaultdict(list)
        for message in held:
            if message.id and message.date_received is not None:
                self._held[_place(message.to.address, message.subject, message.date_received)].append(message)
        self._tracked: dict[_Place, list[TrackedMessage]] = defaultdict(list)
        for row in tracked:
            if row.is_held and row.received is not None:
                for recipient in row.recipients:
                    self._tracked[_place(recipient, row.subject, row.received)].append(row)

    def match(self, row: TrackedMessage, recipient: str) -> HeldMatch:
        """Find the held message of a tracked message for one of its recipients.

        Returns:
            The held message if exactly one fits and no other tracked message has the same claim to it.
        """
        if not recipient or not row.senders or row.received is None:
            return HeldMatch(reason=UNCERTAIN_SPARSE)
        around = _places_around(recipient, row.subject, row.received)
        candidates = {held.id: held for place in around for held in self._held.get(place, ()) if _fits(row, held)}
        if not candidates:
            return HeldMatch(reason=UNCERTAIN_NONE)
        if len(candidates) > 1:
            return HeldMatch(reason=UNCERTAIN_MANY)
        (held,) = candidates.values()
        around = _places_around(recipient, row.subject, held.date_received or row.received)
        rivals = {other.tracking_id for place in around for other in self._tracked.get(place, ()) if _fits(other, held)}
        return HeldMatch(reason=UNCERTAIN_MANY) if rivals - {row.tracking_id} else HeldMatch(held)


def _place(recipient: str, subject: str, moment: datetime) -> _Place:
    return _folded(recipient), _subject(subject), moment.replace(second=0, microsecond=0)


def _places_around(recipient: str, subject: str, moment: datetime) -> list[_Place]:
    """Where a message may lie whose receipt is within the tolerance of a moment."""
    return [
        _place(recipient, subject, moment + offset) for offset in (-RECEIPT_TOLERANCE, timedelta(), RECEIPT_TOLERANCE)
    ]


def _fits(row: TrackedMessage, held: HeldMessage) -> bool:
    if row.received is None or held.date_received is None:
        return False
    return abs(held.date_received - row.received) <= RECEIPT_TOLERANCE and bool(
        {_folded(sender) for sender in row.senders} & {_folded(sender) for sender in held.senders}
    )


def _folded(address: str) -> str:
    return address.strip().casefold()


def _subject(text: str) -> str:
    return " ".join(text.split())
