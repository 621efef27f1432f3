"""Finding a tracked message in the hold queue. Mimecast gives no link between the two: tracking ID and held ID differ.

A match is made of recipient, sender, subject and receipt time, and counts only when it is the only possible one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from MimecastModels import HeldMessage, TrackedMessage

RECEIPT_TOLERANCE = timedelta(seconds=60)
"""Tracking gives times by the minute, the hold queue by the second; neither documents which way it rounds."""

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
        self._held: dict[str, list[HeldMessage]] = defaultdict(list)
        for message in held:
            if message.id:
                self._held[_folded(message.to.address)].append(message)
        self._tracked: dict[str, list[TrackedMessage]] = defaultdict(list)
        for row in tracked:
            if row.is_held:
                for recipient in row.recipients:
                    self._tracked[_folded(recipient)].append(row)

    def match(self, row: TrackedMessage, recipient: str) -> HeldMatch:
        """Find the held message of a tracked message for one of its recipients.

        Returns:
            The held message if exactly one fits and no other tracked message has the same claim to it.
        """
        if not recipient or not row.senders or row.received is None:
            return HeldMatch(reason=UNCERTAIN_SPARSE)
        key = _folded(recipient)
        candidates = {held.id: held for held in self._held[key] if _fits(row, held)}
        if not candidates:
            return HeldMatch(reason=UNCERTAIN_NONE)
        if len(candidates) > 1:
            return HeldMatch(reason=UNCERTAIN_MANY)
        (held,) = candidates.values()
        rivals = {other.tracking_id for other in self._tracked[key] if _fits(other, held)} - {row.tracking_id}
        return HeldMatch(reason=UNCERTAIN_MANY) if rivals else HeldMatch(held)


def _fits(row: TrackedMessage, held: HeldMessage) -> bool:
    if row.received is None or held.date_received is None:
        return False
    return (
        abs(held.date_received - row.received) <= RECEIPT_TOLERANCE
        and _subject(row.subject) == _subject(held.subject)
        and bool({_folded(sender) for sender in row.senders} & {_folded(sender) for sender in held.senders})
    )


def _folded(address: str) -> str:
    return address.strip().casefold()


def _subject(text: str) -> str:
    return " ".join(text.split())
