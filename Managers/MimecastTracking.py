"""Reading message tracking completely: searches side by side, merged, oldest first, split where a reply may be cut off.

The search has an undocumented cap and order (facts 3.2). A reply whose size looks like a cap is split by time until it
doesn't, down to the minute, which is as exact as Mimecast's times are. Splitting happens lazily, oldest part first: a
cycle that stops at its limit doesn't pay for the parts it will not use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from MimecastExceptions import MimecastError
from MimecastManager import TrackingQuery
from MimecastModels import TrackedMessage
from MimecastWorkers import run_in_parallel

MINUTE = timedelta(minutes=1)
SMALLEST_CAP = 100
"""A reply of fewer rows is taken as complete: no cap below this was ever seen."""
CAP_STEP = 50
"""Caps are round numbers; a reply whose size is a multiple of this may have been cut off."""
SPLIT_MARGIN = 1.25
"""How many more parts a split makes than an even spread of mail would need."""
MAX_PARTS = 64

_LAST = datetime.max.replace(tzinfo=UTC)
"""Where a row without a readable time is sorted: as if it had only just been received."""

Search = Callable[[TrackingQuery, datetime, datetime], Sequence[TrackedMessage]]


def floor_minute(moment: datetime) -> datetime:
    """The start of the minute a moment lies in."""
    return moment.replace(second=0, microsecond=0)


def may_be_capped(rows: int) -> bool:
    """Whether a reply of so many rows may have been cut off (100, 250, 500, 999, 1000 …)."""
    return rows >= SMALLEST_CAP and (rows % CAP_STEP == 0 or (rows + 1) % SMALLEST_CAP == 0)


def split_span(
    start: datetime, end: datetime, received: Sequence[datetime], rows: int
) -> tuple[tuple[datetime, datetime], ...]:
    """Cut a time span whose reply may have been cut off into parts that should fit.

    The rows that came cover only part of the span if they came newest or oldest first; their density tells how many
    parts are needed.

    Args:
        start: Begin of the span, a full minute.
        end: End of the span.
        received: Times of the rows that came.
        rows: How many came.

    Returns:
        Adjacent parts, oldest first, at full minutes; the span itself if it can't be cut.
    """
    minutes = math.ceil((end - start) / MINUTE)
    if minutes <= 1:
        return ((start, end),)
    covered = (max(received) - min(received)) / MINUTE + 1 if received else minutes
    wanted = math.ceil(minutes / min(covered, minutes) * SPLIT_MARGIN)
    parts = min(max(wanted, 2), minutes, MAX_PARTS)
    edges = [start + MINUTE * round(index * minutes / parts) for index in range(parts)] + [end]
    return tuple(pairwise(edges))


@dataclass(frozen=True)
class Batch:
    """A part of the time span that is known completely.

    Attributes:
        start: Its begin; everything older was in earlier batches.
        end: Its end; nothing younger is known yet, unless it is the last part.
        rows: Its rows, merged by tracking ID, oldest first.
        errors: Why some searches gave nothing; then the part is not complete after all.
        cut_off: Whether a single minute still looks cut off, so that rows may be missing.
    """

    start: datetime
    end: datetime
    rows: tuple[TrackedMessage, ...]
    errors: tuple[MimecastError, ...] = ()
    cut_off: bool = False


@dataclass(frozen=True)
class _Reply:
    query: TrackingQuery
    rows: tuple[TrackedMessage, ...] = ()
    error: MimecastError | None = None

    @property
    def suspicious(self) -> bool:
        return may_be_capped(len(self.rows))


def read_tracking(
    search: Search,
    queries: Sequence[TrackingQuery],
    start: datetime,
    end: datetime,
    workers: int,
    *,
    split: bool = True,
) -> Generator[Batch]:
    """Read a time span completely.

    Args:
        search: Asks Mimecast.
        queries: Domains and directions.
        start: Begin of the span.
        end: End of the span.
        workers: How many searches may run side by side.
        split: Whether to split at all; a test run takes what one search gives.

    Yields:
        Parts of the span, oldest first; each is searched when it is asked for.
    """
    yield from _read(search, queries, (), floor_minute(start), end, workers, split=split)


def _read(
    search: Search,
    queries: Sequence[TrackingQuery],
    complete: Sequence[TrackedMessage],
    start: datetime,
    end: datetime,
    workers: int,
    *,
    split: bool,
) -> Generator[Batch]:
    """Read a part; ``complete`` holds the rows of queries that are known completely already."""
    replies = _search_all(search, queries, start, end, workers)
    suspicious = [reply for reply in replies if reply.suspicious]
    rows = list(complete) + [row for reply in replies for row in reply.rows]
    errors = tuple(reply.error for reply in replies if reply.error)
    worst = max(suspicious, key=lambda reply: len(reply.rows), default=None)
    parts: tuple[tuple[datetime, datetime], ...] = ((start, end),)
    if worst is not None and split:
        times = [row.received for row in worst.rows if row.received is not None]
        parts = split_span(start, end, times, len(worst.rows))
    if len(parts) == 1:
        yield Batch(start, end, merge(rows), errors, cut_off=bool(suspicious))
        return
    again = [reply.query for reply in suspicious]
    # A row without a readable time, or outside the span, still belongs somewhere: to the first or the last part.
    for index, (begin, finish) in enumerate(parts):
        inside = [
            row
            for row in rows
            if (index == 0 or (row.received or start) >= begin)
            and (index == len(parts) - 1 or (row.received or start) < finish)
        ]
        for batch in _read(search, again, inside, begin, finish, workers, split=split):
            yield replace(batch, errors=errors + batch.errors)


def _search_all(
    search: Search, queries: Sequence[TrackingQuery], start: datetime, end: datetime, workers: int
) -> list[_Reply]:
    def one(query: TrackingQuery) -> _Reply:
        try:
            return _Reply(query, tuple(search(query, start, end)))
        except MimecastError as error:
            return _Reply(query, error=error)

    return [reply for _, reply in run_in_parallel(one, queries, workers)]


def merge(rows: Sequence[TrackedMessage]) -> tuple[TrackedMessage, ...]:
    """Keep one row for each tracking ID (a mail is found by *from* and by *to*), oldest first."""
    unique = {row.tracking_id: row for row in rows}
    return tuple(sorted(unique.values(), key=lambda row: (row.received or _LAST, row.tracking_id)))
