"""Faults, latency and rate limits that can be asked for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

FaultKind = Literal[
    "429",  # quota exceeded, with X-RateLimit-* headers and no Retry-After (facts 2.4)
    "500",  # platform error in an envelope
    "503",  # a gateway's HTML page
    "reset",  # the connection is reset (TCP RST) instead of an answer
    "close",  # the connection is closed without an answer
    "torn",  # JSON cut in the middle; its Content-Length agrees with what comes
    "cut",  # the connection closes in the middle of the body; Content-Length promised more
    "html",  # 200 with an HTML page, as a captive proxy gives
    "empty",  # 200 with an empty body
    "slow",  # the answer takes ``seconds`` longer; it is always carried out
]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)

DEFAULT_RESET_MS = 1000
DEFAULT_SLOW_S = 30.0


@dataclass
class Fault:
    """One kind of fault for the requests that match.

    Attributes:
        kind: What happens.
        path: Only requests to this path, or below it (``/download`` for all downloads).
        request_number: Only the request with this number (counted from 1 since the last reset of the counts).
        contains: Only requests with this text in their body, such as a message's ID.
        times: How often it happens; None = for ever.
        after: How many matching requests go through first.
        executed: The request is carried out first, and only its answer is spoilt.
        reset_ms: What a 429 announces as X-RateLimit-Reset.
        seconds: How much longer ``slow`` takes.
        happened: How often it happened so far.
    """

    kind: FaultKind
    path: str | None = None
    request_number: int | None = None
    contains: str | None = None
    times: int | None = 1
    after: int = 0
    executed: bool = False
    reset_ms: int = DEFAULT_RESET_MS
    seconds: float = DEFAULT_SLOW_S
    happened: int = field(default=0, init=False)
    _passed: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(FAULT_KINDS)}")

    def _matches(self, number: int, path: str, body: bytes) -> bool:
        if self.times is not None and self.happened >= self.times:
            return False
        if self.request_number is not None and number != self.request_number:
            return False
        if self.path is not None and path != self.path and not path.startswith(f"{self.path}/"):
            return False
        return self.contains is None or self.contains.encode() in body

    def strikes(self, number: int, path: str, body: bytes) -> bool:
        """Whether this request gets the fault; counts it if so."""
        if not self._matches(number, path, body):
            return False
        if self._passed < self.after:
            self._passed += 1
            return False
        self.happened += 1
        return True


class FaultPlan:
    """All faults asked for, in the order in which they were; the first that matches a request strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Asks for faults."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()

    def happened(self) -> int:
        """How many faults happened so far."""
        with self._lock:
            return sum(fault.happened for fault in self._faults)

    def draw(self, number: int, path: str, body: bytes) -> Fault | None:
        """The fault that this request gets, if any."""
        if not self._faults:
            return None
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(number, path, body)), None)


class RateLimit:
    """A token bucket that holds one second's worth of requests.

    Args:
        requests_per_second: The quota.
        timer: Seconds that pass; the real ones by default.
    """

    def __init__(self, requests_per_second: float, timer: Callable[[], float] = time.monotonic) -> None:
        if not requests_per_second > 0:
            raise ValueError("a rate limit is a positive number of requests a second")
        self.requests_per_second = requests_per_second
        self.refused = 0
        self._capacity = max(1.0, requests_per_second)
        self._tokens = self._capacity
        self._timer = timer
        self._at = timer()
        self._lock = threading.Lock()

    def take(self) -> tuple[bool, dict[str, str]]:
        """Asks for one request.

        Returns:
            Whether it is allowed, and the X-RateLimit-* headers of its answer.
        """
        with self._lock:
            now = self._timer()
            self._tokens = min(self._capacity, self._tokens + (now - self._at) * self.requests_per_second)
            self._at = now
            allowed = self._tokens >= 1
            if allowed:
                self._tokens -= 1
            else:
                self.refused += 1
            missing = max(0.0, math.floor(self._tokens) + 1 - self._tokens)
            reset_ms = math.ceil(missing / self.requests_per_second * 1000)
            return allowed, rate_limit_headers(int(self._capacity), int(self._tokens), reset_ms)


def rate_limit_headers(limit: int, remaining: int, reset_ms: int) -> dict[str, str]:
    """The three headers; Reset is a delta in milliseconds until a call comes back (facts 2.4)."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset_ms),
    }
