"""How long a run may take, and when its requests may start: shared by all of its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from MimecastExceptions import DeadlineError, PauseTooLongError

DEFAULT_PAUSE_S = 5.0
"""Pause after a 429 that doesn't say how long."""
TURN_POLL_S = 0.05
"""How often a request that waits for its turn after a pause looks whether it has come earlier."""
RAMP_END = 64
"""When so many requests may be in flight again after a 429, it is forgotten; no run has as many."""

_MS_PER_S = 1000.0


class Deadline:
    """The moment at which a run must have finished all its network work.

    Args:
        monotonic: A clock in seconds that never goes back.
        seconds: How long the run may take from now on.
    """

    def __init__(self, monotonic: Callable[[], float], seconds: float) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left, never below 0."""
        return max(0.0, self._end - self._monotonic())

    def part(self, share: float) -> Deadline:
        """A deadline after a share (0 to 1) of the time that is left, for work that must not use up all of it."""
        return Deadline(self._monotonic, self.remaining() * share)

    def check(self) -> float:
        """Return the seconds that are left; raise DeadlineError if none are."""
        remaining = self.remaining()
        if remaining <= 0:
            raise DeadlineError("The time for this run is used up.")
        return remaining


def pause_asked_for(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds Mimecast asks to wait.

    ``X-RateLimit-Reset`` is a number of milliseconds from now, not a point in time (Mimecast, "Rate limiting");
    ``Retry-After`` (seconds) isn't documented but is understood, should a gateway send it.

    Returns:
        Seconds, or None if the headers don't say.
    """
    for name, unit in (("X-RateLimit-Reset", _MS_PER_S), ("Retry-After", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None


class RequestGate:
    """Lets requests start; keeps all of them back while Mimecast asks for a pause.

    After a pause they start one by one, as far apart as the pause was long, until an answer says that there is quota
    again: a quota that comes back call by call is used fully, and one that comes back as a whole costs a single probe.
    From then on no more are in flight than Mimecast said are left, and after a 429 their number grows by one with each
    answer, so that there is no volley of further 429s.

    Each ``wait`` is followed by one of ``refused``, ``answered`` and ``unanswered``.

    Args:
        monotonic: A clock in seconds that never goes back.
        sleep: Waits for a number of seconds.
    """

    def __init__(self, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._news = threading.Condition()
        self._paused_until = 0.0
        self._next_turn = 0.0
        self._spacing_s = 0.0
        self._in_flight = 0
        self._left: int | None = None
        self._ramp: int | None = None

    def wait(self, deadline: Deadline) -> None:
        """Wait until a request may start.

        Raises:
            DeadlineError: No time is left.
            PauseTooLongError: The pause ends after the deadline.
        """
        while True:
            remaining = deadline.check()
            with self._news:
                now = self._monotonic()
                pause, turn = self._paused_until - now, self._next_turn - now
                if pause <= 0 and turn <= 0:
                    if self._has_room():
                        self._next_turn = now + self._spacing_s
                        self._in_flight += 1
                        return
                    self._news.wait(remaining)
                    continue
            if pause > remaining:
                raise PauseTooLongError(
                    f"Mimecast's request quota is used up; it asks to wait {pause:.0f} s, which is longer than the "
                    "time left for this run. Run it again later, or ask Mimecast for a higher quota.",
                    status=429,
                )
            # A pause is as long as it is; a turn may come earlier, when another request's answer tells of quota.
            self._sleep(pause if pause > 0 else min(turn, TURN_POLL_S))

    def refused(self, headers: Mapping[str, str]) -> None:
        """Take note of a 429: nobody sends anything for as long as it says.

        A 429 that says "0 ms" contradicts itself; taken literally, it would be asked again at once and for ever.
        """
        with self._news:
            self._ramp = 1
            self._pause(pause_asked_for(headers) or DEFAULT_PAUSE_S)
            self._ended()

    def answered(self, headers: Mapping[str, str]) -> None:
        """Take note of any other answer: whether there is quota left."""
        left = _quota_left(headers)
        with self._news:
            if left == 0:
                self._pause(pause_asked_for(headers) or 0.0)
            else:
                self._left, self._spacing_s, self._next_turn = left, 0.0, 0.0
                if self._ramp is not None:
                    self._ramp = self._ramp + 1 if self._ramp < RAMP_END else None
            self._ended()

    def unanswered(self) -> None:
        """Take note that a request came to nothing: its connection broke, say, or no time was left for it."""
        with self._news:
            self._ended()

    def _has_room(self) -> bool:
        if self._spacing_s > 0:
            return True  # their distance in time is what holds them back
        return all(most is None or self._in_flight < most for most in (self._left, self._ramp))

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)
        # The longest of late: just before a call comes back the announced pause is much shorter than their distance.
        self._spacing_s = max(self._spacing_s, seconds)

    def _ended(self) -> None:
        self._in_flight = max(0, self._in_flight - 1)
        self._news.notify_all()


def _quota_left(headers: Mapping[str, str]) -> int | None:
    """Read how many calls Mimecast says are left; None if it doesn't."""
    try:
        return max(0, int(headers["X-RateLimit-Remaining"]))
    except (KeyError, ValueError):
        return None
