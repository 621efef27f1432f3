"""All rows of a tenant, indexed so that a search over 20,000 of them takes no time that matters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from devkit.mimecast.mail import HELD_ID_BYTES, STATUSES, TRACKING_ID_BYTES, AttachedFile, Mail, opaque_id

# Rejected and deferred messages are kept for seven days only (facts 3.2).
SHORT_LIVED_STATUSES = frozenset({"rejected", "deferred"})
SHORT_LIVED_S = 7 * 24 * 3600

ANYBODY = ("", "")
Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class TrackedRow:
    """One mail's delivery to one recipient, with its current status."""

    mail: Mail
    recipient: str | None
    tracking_id: str
    held_id: str
    received_s: int
    visible_from_s: float
    status: str

    @property
    def on_hold(self) -> bool:
        """Whether the hold queue has this row."""
        return self.status == "held" and not self.mail.odd.not_in_hold_queue


Entry = tuple[int, int, TrackedRow]


class MailStore:
    """Rows by ID, by time, and by sender and recipient over time. Not locked: its tenant does that."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.by_tracking_id: dict[str, TrackedRow] = {}
        self.by_held_id: dict[str, TrackedRow] = {}
        self.by_mail: dict[str, list[TrackedRow]] = {}
        self.attachments: dict[str, tuple[TrackedRow, AttachedFile]] = {}
        self._by_message_id: dict[str, list[TrackedRow]] = {}
        self._timelines: dict[Key, list[Entry]] = {ANYBODY: []}

    def add(self, mail: Mail) -> list[TrackedRow]:
        """Adds a mail.

        Returns:
            Its rows, one for each recipient; one without recipient if it has none.

        Raises:
            ValueError: If the very same mail is there already.
        """
        if mail.key in self.by_mail:
            raise ValueError(f"mail {mail.message_id} is there already")
        rows = []
        for position, recipient in enumerate(mail.recipients or [None]):
            parts = (mail.key, recipient or "", str(position))
            row = TrackedRow(
                mail=mail,
                recipient=recipient,
                tracking_id=opaque_id(TRACKING_ID_BYTES, "tracking", *parts),
                held_id=opaque_id(HELD_ID_BYTES, "held", *parts),
                received_s=int(mail.received.timestamp()),
                visible_from_s=max(mail.received, mail.indexed_at or mail.received).timestamp(),
                status=mail.status_of(recipient) if recipient else _single_status(mail),
            )
            rows.append(row)
            self.by_tracking_id[row.tracking_id] = row
            self.by_held_id[row.held_id] = row
            self._by_message_id.setdefault(mail.message_id, []).append(row)
            entry = (row.received_s, len(self.by_tracking_id), row)
            for key in _keys(row):
                insort(self._timelines.setdefault(key, []), entry)
        self.mails.append(mail)
        self.by_mail[mail.key] = rows
        return rows

    def set_status(self, what: Mail | str, status: str) -> None:
        """Moves all rows of a mail, or the one row with this tracking ID, to another status.

        Raises:
            KeyError: If there is no such mail or row.
            ValueError: If there is no such status.
        """
        if status not in STATUSES:
            raise ValueError(f"unknown status {status!r}")
        for row in self.by_mail[what.key] if isinstance(what, Mail) else [self.by_tracking_id[what]]:
            row.status = status

    def search(
        self, start: datetime, end: datetime, now: datetime, sender: str | None = None, recipient: str | None = None
    ) -> Iterator[TrackedRow]:
        """Rows received from ``start`` to ``end``, both included, that the index has by now; oldest first.

        Args:
            start: Earliest receipt.
            end: Latest receipt.
            now: The present.
            sender: Address or domain, of envelope or header.
            recipient: Address or domain.

        Yields:
            Rows in order of receipt; of one second in the order in which they came.
        """
        now_s = now.timestamp()
        wanted = [key for key in (sender_key(sender), recipient_key(recipient)) if key] or [ANYBODY]
        ranges = [self._between(key, start, end) for key in wanted]
        shortest = min(ranges, key=lambda entries: entries[1] - entries[0])
        others = [key for key, entries in zip(wanted, ranges, strict=True) if entries is not shortest]
        low, high, timeline = shortest
        for _, _, row in timeline[low:high]:
            if row.visible_from_s > now_s:
                continue
            if row.status in SHORT_LIVED_STATUSES and row.received_s < now_s - SHORT_LIVED_S:
                continue
            if all(key in _keys(row) for key in others):
                yield row

    def with_message_id(self, message_id: str) -> list[TrackedRow]:
        """Rows of all mails with this Message-ID."""
        return list(self._by_message_id.get(message_id, []))

    def held(
        self, start: datetime | None, end: datetime | None, now: datetime, recipient: str | None
    ) -> list[TrackedRow]:
        """Rows on hold by now, newest first."""
        key = recipient_key(recipient) or ANYBODY
        low, high, timeline = self._between(key, start, min(end, now) if end else now)
        return [row for _, _, row in reversed(timeline[low:high]) if row.on_hold]

    def _between(self, key: Key, start: datetime | None, end: datetime) -> tuple[int, int, list[Entry]]:
        timeline = self._timelines.get(key, [])
        low = bisect_left(timeline, start.timestamp(), key=_received) if start else 0
        return low, bisect_right(timeline, end.timestamp(), key=_received), timeline


def _received(entry: Entry) -> int:
    return entry[0]


def _single_status(mail: Mail) -> str:
    if not isinstance(mail.status, str):
        raise ValueError("a mail without recipients has one status")
    return mail.status


def sender_key(address: str | None) -> Key | None:
    """Under which key the rows from this address or domain stand."""
    return ("from", address.lower()) if address else None


def recipient_key(address: str | None) -> Key | None:
    """Under which key the rows to this address or domain stand."""
    return ("to", address.lower()) if address else None


def _keys(row: TrackedRow) -> set[Key]:
    """All keys under which a row stands."""
    keys = {ANYBODY}
    for address in _with_domains([row.mail.sender, row.mail.envelope_sender]):
        keys.add(("from", address))
    for address in _with_domains([row.recipient]):
        keys.add(("to", address))
    return keys


def _with_domains(addresses: Iterable[str | None]) -> Iterator[str]:
    for address in addresses:
        if address and "@" in address:
            lowered = address.lower()
            yield lowered
            yield lowered.rpartition("@")[2]
