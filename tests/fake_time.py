"""Time that only moves when somebody sleeps."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from MimecastManager import Clock


class FakeTime:
    """One clock for everybody; sleeping only moves it on."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.slept_s = 0.0

    def read(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        # Rounded up: a wait that rounds to nothing would never end.
        self.now += timedelta(microseconds=math.ceil(seconds * 1_000_000))

    def clock(self) -> Clock:
        return Clock(now=self.read, monotonic=self.monotonic, sleep=self.sleep)
