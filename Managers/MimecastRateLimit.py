"""How long a run may take, and when its requests may start: shared by all of its threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from MimecastExceptions import DeadlineError, PauseTooLongError

DEFAULT_PAUSE_S = 5.0
"""Pause after a 429 that doesn't say how long."""

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
    again. So a quota that comes back call by call is used fully without a volley of 429s, and one that comes back as a
    whole costs a single probe.

    Args:
        monotonic: A clock in seconds that never goes back.
        sleep: Waits for a number of seconds.
    """

    def __init__(self, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._spacing_s = 0.0

    def wait(self, deadline: Deadline) -> None:
        """Wait until a request may start.

        Raises:
            DeadlineError: No time is left.
            PauseTooLongError: The pause ends after the deadline.
        """
        while True:
            deadline.check()
            with self._lock:
                now = self._monotonic()
                pause = self._not_before - now
                if pause <= 0:
                    self._not_before = now + self._spacing_s
                    return
            if pause > deadline.remaining():
                raise PauseTooLongError(
                    f"Mimecast's request quota is used up; it asks to wait {pause:.0f} s, which is longer than the "
                    "time left for this run. Run it again later, or ask Mimecast for a higher quota.",
                    status=429,
                )
            self._sleep(pause)

    def refused(self, headers: Mapping[str, str]) -> None:
        """Take note of a 429: nobody sends anything for as long as it says.

        A 429 that says "0 ms" contradicts itself; taken literally, it would be asked again at once and for ever.
        """
        self._pause(pause_asked_for(headers) or DEFAULT_PAUSE_S)

    def answered(self, headers: Mapping[str, str]) -> None:
        """Take note of any other answer: whether there is quota left."""
        if headers.get("X-RateLimit-Remaining", "").strip() == "0":
            self._pause(pause_asked_for(headers) or 0.0)
        else:
            with self._lock:
                self._spacing_s = 0.0

    def _pause(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, self._monotonic() + seconds)
            self._spacing_s = seconds
