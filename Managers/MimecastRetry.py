"""Which failures are tried again, and after how long. Reads and writes are told apart by the endpoint table."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from MimecastConstants import Endpoint
from MimecastExceptions import (
    ConnectionFailedError,
    DeadlineError,
    MimecastError,
    PauseTooLongError,
    RateLimitedError,
    ServerError,
    TokenExpiredError,
    TooLargeError,
)
from MimecastRateLimit import Deadline

MAX_TRIES = 4
"""How often a read is sent before its failure is final; pauses that Mimecast asks for (429) don't count."""
BACKOFF_FIRST_S = 0.5
BACKOFF_JITTER = 0.25
"""A pause is longer or shorter by up to this share, so that workers don't come back in step."""

T = TypeVar("T")


class Tries:
    """The tries of one call: whether it may be sent again, and after how long.

    Args:
        endpoint: What is called.
        deadline: When the call must be done.
        renewable: Whether there is a token that could be renewed.
    """

    def __init__(self, endpoint: Endpoint, deadline: Deadline, *, renewable: bool) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        self._renewable = renewable
        self._failures = 0
        self._token_renewed = False
        self._pause_s = 0.0
        self.last_failure: MimecastError | None = None

    def run(self, attempt: Callable[[], T], sleep: Callable[[float], None], note: Callable[[], None]) -> T:
        """Run an attempt until it succeeds or its failure is final.

        Args:
            attempt: Sends the request.
            sleep: Waits for a number of seconds.
            note: Called before each further attempt.

        Raises:
            MimecastError: The last failure.
        """
        try:
            return attempt()
        except MimecastError as error:
            if not self._again(error):
                raise
        import tenacity  # here, because most runs never need it and each would pay for it

        note()
        sleep(self._pause_s)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._again),
            wait=lambda _: self._pause_s,
            stop=tenacity.stop_never,
            sleep=sleep,
            before_sleep=lambda _: note(),
            reraise=True,
        )
        return retrying(attempt)

    def _again(self, error: BaseException) -> bool:
        self._pause_s = 0.0
        if isinstance(error, RateLimitedError):
            # Not executed, so even a write may be sent again; the gate waits, or says that the wait is too long.
            return not isinstance(error, PauseTooLongError) and self._deadline.remaining() > 0
        if isinstance(error, TokenExpiredError) and self._renewable:
            renewed, self._token_renewed = self._token_renewed, True
            return not renewed
        if not isinstance(error, ServerError):
            return False
        self.last_failure = error
        if self._endpoint.is_write and maybe_executed(error):
            return False
        if isinstance(error, ConnectionFailedError) and error.hopeless:
            return False
        self._failures += 1
        backoff = BACKOFF_FIRST_S * 2 ** (self._failures - 1)
        self._pause_s = backoff * (1 + random.uniform(-BACKOFF_JITTER, BACKOFF_JITTER))  # noqa: S311 - not security
        return self._failures < MAX_TRIES and backoff < self._deadline.remaining()


def maybe_executed(error: MimecastError) -> bool:
    """Whether a request that failed so may have been carried out."""
    if isinstance(error, ConnectionFailedError):
        return not error.never_sent
    if isinstance(error, DeadlineError):
        return error.was_sent
    return isinstance(error, (ServerError, TooLargeError))
