"""Pages of legacy endpoints: an opaque token that belongs to one query (facts 2.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")

# Queries whose further pages are still to be had; an older token is refused as expired.
REMEMBERED_QUERIES = 64


class UnknownPageTokenError(ValueError):
    """The page token was not given out, belongs to another query, or has expired."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page: its rows, where it begins, how many rows there are in all, and the tokens of its neighbours."""

    rows: list[Row]
    start: int
    total: int
    next: str | None
    previous: str | None

    def tokens(self) -> dict[str, str]:
        """``next`` and ``previous`` as far as there are any; the key is absent where a list ends."""
        return {name: token for name, token in (("next", self.next), ("previous", self.previous)) if token}


class PageBook:
    """Cuts answers into pages. The pages of a query are cut from what it found when its first page was asked for."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, list[Any]] = OrderedDict()
        self._issued = 0
        self._lock = threading.Lock()

    def page(
        self, query: object, token: str | None, size: int, find: Callable[[], list[Row]], start: int = 0
    ) -> Page[Row]:
        """One page.

        Args:
            query: What identifies the query, as JSON.
            token: The ``pageToken`` of the request.
            size: Rows a page.
            find: Finds all rows; asked for the first page only.
            start: At which row the first page begins.

        Returns:
            The page.

        Raises:
            UnknownPageTokenError: If the token is not one of this query's.
        """
        fingerprint = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:24]
        with self._lock:
            if token is None:
                self._issued += 1
                key, offset, rows = f"{fingerprint}:{self._issued}", start, find()
            else:
                key, offset = _read(token)
                rows = self._found.get(key, [])
                if not key.startswith(f"{fingerprint}:") or key not in self._found:
                    raise UnknownPageTokenError(token)
            further = offset + size < len(rows)
            if further:
                self._remember(key, rows)
            return Page(
                rows=rows[offset : offset + size],
                start=offset,
                total=len(rows),
                next=_token(key, offset + size) if further else None,
                previous=_token(key, max(0, offset - size)) if token is not None and offset > 0 else None,
            )

    def _remember(self, key: str, rows: list[Any]) -> None:
        self._found[key] = rows
        self._found.move_to_end(key)
        while len(self._found) > REMEMBERED_QUERIES:
            self._found.popitem(last=False)


def _token(key: str, offset: int) -> str:
    return "eN" + base64.urlsafe_b64encode(f"{key}:{offset}".encode()).decode().rstrip("=")


def _read(token: str) -> tuple[str, int]:
    text = token.removeprefix("eN")
    try:
        key, _, offset = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().rpartition(":")
        return key, int(offset)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise UnknownPageTokenError(token) from error
