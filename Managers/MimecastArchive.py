"""Reading the archive search page by page, no further than what is wanted and what the platform can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from MimecastConstants import SEARCH_ARCHIVE
from MimecastEnvelope import Envelope, Row
from MimecastExceptions import ServerError
from MimecastResultTable import MAX_RESULT_CHARS, json_chars
from MimecastTransport import MimecastTransport

MAX_PAGES = 100
"""Pages that one run reads at most: 10,000 rows of a simple search, well within the time and quota of a run."""

_BLOCK_KEYS = frozenset({"items", "queryDuration"})


@dataclass(frozen=True)
class FoundEmails:
    """What a search of the archive brought.

    Attributes:
        rows: Mimecast's own rows, newest first.
        total: How many there are in all, as far as Mimecast says it.
        cut_short: Whether more were wanted and are there, but were not read.
    """

    rows: tuple[Row, ...]
    total: int | None = None
    cut_short: bool = False


def search_archive(transport: MimecastTransport, query: str, limit: int | None) -> FoundEmails:
    """Search the whole archive.

    ``admin`` is always true: without it Mimecast finds nothing and says nothing (facts 3.10).

    Args:
        transport: Calls Mimecast.
        query: The query's XML; it holds the page size too.
        limit: How many rows are wanted at most; None for all.

    Raises:
        ServerError: Mimecast repeats a page, or its answer holds no ``data``.
        MimecastError: The search failed.
    """
    rows: list[Row] = []
    size = 0
    total: int | None = None
    pages = transport.pages(SEARCH_ARCHIVE, [{"admin": True, "query": query}], page_size=None)
    for number, envelope in enumerate(pages, 1):
        if not envelope.has_data:
            raise ServerError("Mimecast's answer to the search holds no data.")
        total = envelope.total if total is None else total
        found = list(_rows(envelope))
        rows += found
        size += sum(json_chars(row) for row in found)
        if limit is not None and len(rows) >= limit:
            return FoundEmails(tuple(rows[:limit]), total)
        if envelope.next_token is not None and (number == MAX_PAGES or size > MAX_RESULT_CHARS):
            return FoundEmails(tuple(rows), total, cut_short=True)
    return FoundEmails(tuple(rows), total)


def _rows(envelope: Envelope) -> Iterator[Row]:
    """Rows of either shape: in ``items`` of an item of ``data``, or flat in ``data`` (facts 3.10)."""
    for item in envelope.rows:
        if not _BLOCK_KEYS & item.keys():
            yield item
        elif isinstance(item.get("items"), list):
            yield from (row for row in item["items"] if isinstance(row, dict))
