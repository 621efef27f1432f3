"""Counts the requests that arrive, and remembers them for assertions."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

AuthKind = Literal["hmac", "oauth", "none"]


@dataclass(slots=True)
class RequestRecord:
    """One request.

    Attributes:
        number: Counted from 1.
        method: HTTP method.
        path: Path without query.
        auth: What kind of Authorization it carries, right or wrong.
        request_id: ``x-mc-req-id`` of API 1.0.
        body: The JSON body, None if there was none (or a form).
        at: When it arrived, by the tenant's clock.
        in_flight: How many requests were under way then, this one included.
        status: HTTP status of its answer; 0 if the connection was broken instead; None while under way.
    """

    number: int
    method: str
    path: str
    auth: AuthKind
    request_id: str | None
    body: dict[str, Any] | None
    at: datetime
    in_flight: int
    status: int | None = None


class Ledger:
    """All requests since the last reset."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self.max_in_flight = 0
        self._in_flight = 0
        self._by_path: Counter[str] = Counter()
        self._seen_request_ids: set[str] = set()
        self._lock = threading.Lock()

    def arrive(
        self, method: str, path: str, auth: AuthKind, request_id: str | None, body: dict[str, Any] | None, at: datetime
    ) -> tuple[RequestRecord, bool]:
        """Notes a request.

        Returns:
            Its record, and whether its request id was used before (by any request, answered or not).
        """
        with self._lock:
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            record = RequestRecord(
                len(self.records) + 1, method, path, auth, request_id, body, at, in_flight=self._in_flight
            )
            self.records.append(record)
            self._by_path[path] += 1
            replayed = request_id in self._seen_request_ids
            if request_id:
                self._seen_request_ids.add(request_id)
            return record, replayed

    def leave(self, record: RequestRecord, status: int) -> None:
        """Notes that a request was answered."""
        with self._lock:
            self._in_flight -= 1
            record.status = status

    def count(self, path: str | None = None) -> int:
        """How many requests came, in all or to one path."""
        with self._lock:
            return len(self.records) if path is None else self._by_path[path]

    def counts(self) -> dict[str, int]:
        """How many requests came to each path."""
        with self._lock:
            return dict(self._by_path)

    def reset(self) -> None:
        """Forgets all requests; request ids stay used."""
        with self._lock:
            self.records = []
            self._by_path = Counter()
            self.max_in_flight = self._in_flight
