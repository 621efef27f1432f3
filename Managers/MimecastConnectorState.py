"""What a connector remembers between two cycles: the checkpoint, which rows are done, which have failed how often.

It is one text, so that it is written as a whole or not at all. Times are minutes since 1970; ids are short hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

STATE_KEY = "mimecast_state"
DAMAGED_STATE_KEY = "mimecast_state_damaged"
DELIVERED_KEY = "mimecast_delivered"
"""Name of the last cycle whose package was handed over completely."""
FORMAT = 1

OVERLAP = timedelta(hours=1)
"""How late a message may become searchable: so much of the past is searched again in each cycle."""
HASH_CHARS = 11
"""64 bits of SHA-256 as base64url: of 50,000 rows, two are confused with a probability below one in ten thousand
million."""

_HASH_BYTES = 8
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHECKPOINT_IN_TEXT = re.compile(r'"checkpoint":\s*(\d{6,})')
_HASH_IN_TEXT = re.compile(r'"([A-Za-z0-9_-]{11})"')


def row_hash(tracking_id: str) -> str:
    """The short name of a tracked row in the state."""
    digest = hashlib.sha256(tracking_id.encode("utf-8", "surrogatepass")).digest()[:_HASH_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _minute(moment: datetime) -> int:
    return int((moment - _EPOCH) // _MINUTE)


def _minute_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else _minute(moment)


def _moment(minute: int | None) -> datetime | None:
    return None if minute is None else _EPOCH + _MINUTE * int(minute)


@dataclass(frozen=True)
class Handover:
    """What a cycle handed over, so that it can be undone if the process was killed before it was through.

    Attributes:
        cycle: Name of the cycle.
        checkpoint: The checkpoint before it.
        rows: Hashes of the rows whose alerts were in its package.
    """

    cycle: str
    checkpoint: datetime | None
    rows: tuple[str, ...]


@dataclass
class ConnectorState:
    """The state of one connector instance.

    Attributes:
        checkpoint: Everything received before it is done and final; None before the first cycle.
        seen: Hash of each row that is done, and the minute until which it must be remembered at least.
        failures: Hash of each row that failed, and in how many cycles.
        held_back: Hash of each row that the platform's overflow policy refused for now, and its rule.
        handover: What the last cycle handed over; None if its package was empty.
    """

    checkpoint: datetime | None = None
    seen: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)
    handover: Handover | None = None

    def is_seen(self, key: str) -> bool:
        """Whether a row is done."""
        return key in self.seen

    def mark_seen(self, key: str, moment: datetime) -> None:
        """Remember that a row is done: its alert is in the package, or it was filtered on purpose."""
        self.failures.pop(key, None)
        self.held_back.pop(key, None)
        self.remember(key, moment)

    def remember(self, key: str, moment: datetime) -> None:
        """Keep a row that is done for as long as the checkpoint is not past this moment."""
        self.seen[key] = max(self.seen.get(key, 0), _minute(moment))

    def note_failure(self, key: str) -> None:
        """Count a cycle in which a row could not be ingested."""
        self.failures[key] = self.failures.get(key, 0) + 1

    def advance(self, checkpoint: datetime, present: Iterable[str], handed_over: Iterable[str]) -> None:
        """Move the checkpoint and forget what no search will bring again.

        Args:
            checkpoint: Everything received before it is done and final.
            present: Hashes of the rows that are unfinished, whose notes must stay.
            handed_over: Hashes of the rows whose alerts are in this cycle's package.
        """
        rows = tuple(handed_over)
        self.handover = Handover(uuid.uuid4().hex, self.checkpoint, rows) if rows else None
        # Should the handover have to be undone, the next cycle searches from the old checkpoint again.
        oldest = _minute(min(checkpoint, self.checkpoint or checkpoint))
        self.checkpoint = checkpoint
        self.seen = {key: minute for key, minute in self.seen.items() if minute >= oldest}
        kept = set(present)
        self.failures = {key: count for key, count in self.failures.items() if key in kept}
        self.held_back = {key: rule for key, rule in self.held_back.items() if key in kept}

    def undo_handover(self) -> None:
        """Go back to before the last cycle's package, which nobody got."""
        if self.handover is not None:
            for key in self.handover.rows:
                self.seen.pop(key, None)
            self.checkpoint, self.handover = self.handover.checkpoint, None

    def dump(self) -> str:
        """Write the state as one text; hashes are grouped by minute, which halves its length."""
        by_minute: dict[int, list[str]] = defaultdict(list)
        for key, minute in self.seen.items():
            by_minute[minute].append(key)
        document = {
            "format": FORMAT,
            "checkpoint": _minute_or_none(self.checkpoint),
            "seen": {str(minute): sorted(keys) for minute, keys in sorted(by_minute.items())},
            "failures": self.failures,
            "held_back": self.held_back,
            "handover": self.handover
            and [self.handover.cycle, _minute_or_none(self.handover.checkpoint), self.handover.rows],
        }
        return json.dumps(document, separators=(",", ":"))


class DamagedStateError(ValueError):
    """The stored text is no state of this connector."""


def load_state(text: str) -> ConnectorState:
    """Read a stored state.

    Raises:
        DamagedStateError: The text is no state of this connector.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise DamagedStateError(f"format {document['format']} is not known")
        handover = document["handover"]
        return ConnectorState(
            checkpoint=_moment(document["checkpoint"]),
            seen={str(key): int(minute) for minute, keys in document["seen"].items() for key in keys},
            failures={str(key): int(count) for key, count in document["failures"].items()},
            held_back={str(key): str(rule) for key, rule in document["held_back"].items()},
            handover=handover and Handover(str(handover[0]), _moment(handover[1]), tuple(map(str, handover[2]))),
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as problem:
        raise DamagedStateError("it is not what this connector wrote") from problem


def salvage_state(text: str, last_checkpoint: datetime | None, now: datetime) -> ConnectorState:
    """Make the best of a damaged state: no row that its text still names is ingested a second time.

    Args:
        text: The damaged text.
        last_checkpoint: The last good checkpoint, if the platform still knows one.
        now: The present moment; what is salvaged is remembered as if just seen.

    Returns:
        A state to go on from; without a checkpoint if there is none.
    """
    found = _CHECKPOINT_IN_TEXT.search(text)
    checkpoint = last_checkpoint
    if found:
        named = _EPOCH + _MINUTE * min(int(found.group(1)), _minute(now))
        checkpoint = named if last_checkpoint is None else min(named, last_checkpoint)
    return ConnectorState(checkpoint=checkpoint, seen=dict.fromkeys(_HASH_IN_TEXT.findall(text), _minute(now)))


def adopt_older_state(timestamp: datetime | None, ids: Iterable[object], now: datetime) -> ConnectorState:
    """Start from what the older integration left behind (keys ``timestamp`` and ``ids`` of the connector's context).

    It knew no overlap: what became searchable late before its timestamp was lost, and is found now.

    Args:
        timestamp: Its timestamp, if it had one.
        ids: Tracking IDs of what it had ingested.
        now: The present moment.

    Returns:
        A state to go on from.
    """
    seen = {row_hash(item): _minute(now) for item in ids if isinstance(item, str) and item}
    return ConnectorState(checkpoint=None if timestamp is None else timestamp - OVERLAP, seen=seen)
