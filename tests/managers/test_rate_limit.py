"""When requests may start, and how long a run may take."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from MimecastExceptions import DeadlineError, PauseTooLongError, RateLimitedError
from MimecastRateLimit import DEFAULT_PAUSE_S, Deadline, RequestGate, pause_asked_for
from tests.managers.fakes import FakeTime


@pytest.fixture
def gate(time: FakeTime) -> RequestGate:
    return RequestGate(time.monotonic, time.sleep)


@pytest.fixture
def far(time: FakeTime) -> Deadline:
    return Deadline(time.monotonic, 1e6)


def headers(**values: str) -> CaseInsensitiveDict[str]:
    return CaseInsensitiveDict({name.replace("_", "-"): value for name, value in values.items()})


def starts(gate: RequestGate, deadline: Deadline, time: FakeTime, count: int) -> list[float]:
    """The moments at which so many requests start that all want to at once."""
    moments = []
    for _ in range(count):
        gate.wait(deadline)
        moments.append(time.monotonic())
    return moments


# --- what the headers ask for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"X_RateLimit_Reset": "1500"}, 1.5),
        ({"x_ratelimit_reset": "1500"}, 1.5),
        ({"X_RateLimit_Reset": " 250 "}, 0.25),
        ({"X_RateLimit_Reset": "0"}, 0.0),
        ({"X_RateLimit_Reset": "-5"}, 0.0),
        ({"X_RateLimit_Reset": "1500", "Retry_After": "60"}, 1.5),
        ({"Retry_After": "60"}, 60.0),
        ({"X_RateLimit_Reset": "soon", "Retry_After": "60"}, 60.0),
        ({"X_RateLimit_Reset": "soon"}, None),
        ({"X_RateLimit_Reset": ""}, None),
        ({"Retry_After": format_datetime(datetime(2026, 3, 11, tzinfo=UTC), usegmt=True)}, None),
        ({"X_RateLimit_Limit": "100", "X_RateLimit_Remaining": "0"}, None),
        ({}, None),
    ],
)
def test_reset_is_a_delta_in_milliseconds_and_retry_after_one_in_seconds(
    given: dict[str, str], seconds: float | None
) -> None:
    assert pause_asked_for(headers(**given)) == seconds


def test_reset_is_no_point_in_time(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="30000"))
    assert starts(gate, far, time, 1) == [30.0]


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_without_a_429_nobody_waits(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.answered(headers())
    gate.answered(headers(X_RateLimit_Limit="100", X_RateLimit_Remaining="99", X_RateLimit_Reset="60000"))
    assert starts(gate, far, time, 5) == [0.0] * 5
    assert time.slept == []


def test_after_a_429_nothing_is_sent_for_as_long_as_it_says(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    time.pass_by(100)
    gate.refused(headers(X_RateLimit_Reset="2500"))
    assert starts(gate, far, time, 1) == [102.5]
    assert time.slept == [2.5]


@pytest.mark.parametrize(
    "given", [{}, {"X_RateLimit_Reset": "soon"}, {"X_RateLimit_Reset": "0"}, {"X_RateLimit_Reset": "-1"}]
)
def test_a_429_that_announces_nothing_or_nonsense_is_not_asked_again_at_once(
    time: FakeTime, gate: RequestGate, far: Deadline, given: dict[str, str]
) -> None:
    gate.refused(headers(**given))
    assert starts(gate, far, time, 1) == [DEFAULT_PAUSE_S]


def test_time_that_has_passed_since_the_429_counts(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="10000"))
    time.pass_by(9)
    assert starts(gate, far, time, 1) == [10.0]
    assert time.slept == [pytest.approx(1.0)]


def test_a_shorter_pause_does_not_shorten_a_longer_one(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="10000"))
    gate.refused(headers(X_RateLimit_Reset="1000"))
    gate.answered(headers(X_RateLimit_Remaining="50"))
    assert starts(gate, far, time, 1) == [10.0]


def test_a_429_while_others_wait_makes_them_wait_longer(time: FakeTime, far: Deadline) -> None:
    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.slept) == 1:
            own.refused(headers(X_RateLimit_Reset="3000"))

    own = RequestGate(time.monotonic, sleep)
    own.refused(headers(X_RateLimit_Reset="2000"))
    assert starts(own, far, time, 1) == [5.0]


def test_a_quota_that_is_used_up_is_respected_before_it_is_exceeded(
    time: FakeTime, gate: RequestGate, far: Deadline
) -> None:
    gate.answered(headers(X_RateLimit_Remaining="0", X_RateLimit_Reset="4000"))
    assert starts(gate, far, time, 1) == [4.0]


@pytest.mark.parametrize("given", [{"X_RateLimit_Remaining": "0"}, {"X_RateLimit_Remaining": " 0 "}])
def test_a_used_up_quota_that_does_not_say_for_how_long_is_tried(
    time: FakeTime, gate: RequestGate, far: Deadline, given: dict[str, str]
) -> None:
    gate.answered(headers(**given))
    assert starts(gate, far, time, 2) == [0.0, 0.0]


# --- after a pause ----------------------------------------------------------------------------------------------------


def test_after_a_pause_requests_start_one_by_one(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="2000"))
    assert starts(gate, far, time, 4) == [2.0, 4.0, 6.0, 8.0]


def test_an_answer_with_quota_left_ends_the_spacing(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="2000"))
    assert starts(gate, far, time, 1) == [2.0]
    gate.answered(headers(X_RateLimit_Remaining="99"))
    assert starts(gate, far, time, 2) == [2.0, 2.0]  # at once, and after each further answer one more
    gate.answered(headers(X_RateLimit_Remaining="98"))
    assert starts(gate, far, time, 2) == [2.0, 2.0]


def test_an_answer_without_quota_left_keeps_the_spacing(time: FakeTime, gate: RequestGate, far: Deadline) -> None:
    gate.refused(headers(X_RateLimit_Reset="2000"))
    assert starts(gate, far, time, 1) == [2.0]
    gate.answered(headers(X_RateLimit_Remaining="0", X_RateLimit_Reset="3000"))
    assert starts(gate, far, time, 2) == [5.0, 8.0]


def test_all_threads_wait_for_the_pause_that_one_was_asked_for(
    time: FakeTime, gate: RequestGate, far: Deadline
) -> None:
    gate.refused(headers(X_RateLimit_Reset="2000"))
    barrier, moments = threading.Barrier(8), []

    def work() -> None:
        barrier.wait(timeout=10)
        gate.wait(far)
        moments.append(time.monotonic())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(moments) == 8
    assert min(moments) >= 2.0
    assert max(moments) >= 16.0  # one by one: 2 s apart


# --- the deadline -----------------------------------------------------------------------------------------------------


def test_a_pause_beyond_the_deadline_is_refused_at_once_with_a_reason(time: FakeTime, gate: RequestGate) -> None:
    gate.refused(headers(X_RateLimit_Reset="90000"))
    with pytest.raises(PauseTooLongError) as caught:
        gate.wait(Deadline(time.monotonic, 60))
    assert isinstance(caught.value, RateLimitedError)
    assert caught.value.message == (
        "Mimecast's request quota is used up; it asks to wait 90 s, which is longer than the time left for this run. "
        "Run it again later, or ask Mimecast for a higher quota."
    )
    assert caught.value.status == 429
    assert time.slept == []


def test_a_pause_that_just_fits_is_waited_for(time: FakeTime, gate: RequestGate) -> None:
    gate.refused(headers(X_RateLimit_Reset="59000"))
    gate.wait(Deadline(time.monotonic, 60))
    assert time.slept == [59.0]


def test_nothing_starts_after_the_deadline(time: FakeTime, gate: RequestGate) -> None:
    deadline = Deadline(time.monotonic, 10)
    time.pass_by(10)
    with pytest.raises(DeadlineError) as caught:
        gate.wait(deadline)
    assert caught.value.message == "The time for this run is used up."


def test_a_deadline_counts_down_to_zero_and_not_below(time: FakeTime) -> None:
    time.pass_by(1000)
    deadline = Deadline(time.monotonic, 10)
    assert (deadline.remaining(), deadline.check()) == (10.0, 10.0)
    time.pass_by(4)
    assert deadline.check() == 6.0
    time.pass_by(100)
    assert deadline.remaining() == 0.0
    with pytest.raises(DeadlineError):
        deadline.check()


def test_a_part_of_a_deadline_ends_within_it(time: FakeTime) -> None:
    deadline = Deadline(time.monotonic, 100)
    time.pass_by(20)
    part = deadline.part(0.25)
    assert part.remaining() == 20.0
    time.pass_by(20)
    assert (part.remaining(), deadline.remaining()) == (0.0, 60.0)
    assert part.part(0.5).remaining() == 0.0
