"""One quota for all workers: a pause is everybody's, what comes back comes back gradually, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from devkit.mimecast.faults import Fault, RateLimit, rate_limit_headers
from MimecastRateLimit import DEFAULT_PAUSE_S, Deadline, RequestGate
from tests.connector.mails import held_mails
from tests.connector.world import START, World
from tests.managers.fakes import FakeTime

DETAILS = "/api/message-finder/get-message-info"
RECENTLY = START - timedelta(minutes=50)
PATIENCE_S = 60


class FixedWindow(RateLimit):
    """A quota for each full window of time, which comes back as a whole when the next one begins."""

    def __init__(self, requests: int, window_s: float, timer: Callable[[], float]) -> None:
        super().__init__(requests / window_s, timer)
        self._requests, self._window_s, self._clock = requests, window_s, timer
        self._window = self._used = 0
        self._one_at_a_time = threading.Lock()

    def take(self) -> tuple[bool, dict[str, str]]:
        with self._one_at_a_time:
            now = self._clock()
            if now // self._window_s != self._window:
                self._window, self._used = int(now // self._window_s), 0
            allowed = self._used < self._requests
            self._used += allowed
            self.refused += not allowed
            reset_ms = int(1000 * ((self._window + 1) * self._window_s - now)) + 1
            return allowed, rate_limit_headers(self._requests, self._requests - self._used, reset_ms)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def gate(time: FakeTime) -> RequestGate:
    return RequestGate(time.monotonic, time.sleep)


def timer_of(world: World) -> Callable[[], float]:
    """Mimecast's clock; a trifle faster, so that no call is missing for a rounding error."""
    begun = world.time.monotonic()
    return lambda: (world.time.monotonic() - begun) * 1.0001


def remaining(calls: int) -> dict[str, str]:
    return {"X-RateLimit-Remaining": str(calls)}


class Starters:
    """Threads that each want to start one request."""

    def __init__(self, gate: RequestGate, time: FakeTime) -> None:
        self._gate = gate
        self._deadline = Deadline(time.monotonic, 1e6)
        self._started = 0
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []

    def add(self, count: int) -> None:
        added = [threading.Thread(target=self._start, daemon=True) for _ in range(count)]
        self._threads += added
        for thread in added:
            thread.start()

    def _start(self) -> None:
        self._gate.wait(self._deadline)
        with self._news:
            self._started += 1
            self._news.notify_all()

    def exactly(self, count: int) -> bool:
        """So many get through, and no more of them as long as nothing else happens."""
        with self._news:
            assert self._news.wait_for(lambda: self._started >= count, PATIENCE_S)
        for thread in self._threads:
            thread.join(0.02 if thread.is_alive() else 0)
        return self._started == count


def test_a_pause_holds_all_workers_back(time: FakeTime, gate: RequestGate) -> None:
    gate.refused({"X-RateLimit-Reset": "30000"})
    begun = time.monotonic()
    starters = Starters(gate, time)
    starters.add(1)
    assert starters.exactly(1)
    assert time.monotonic() - begun >= 30


def test_after_a_429_each_answer_lets_one_more_request_be_in_flight(time: FakeTime, gate: RequestGate) -> None:
    gate.wait(Deadline(time.monotonic, 1e6))
    gate.refused({"X-RateLimit-Reset": "1000"})
    time.sleep(1)
    gate.wait(Deadline(time.monotonic, 1e6))  # the probe
    gate.answered(remaining(1000))
    starters = Starters(gate, time)
    starters.add(12)
    for in_all in (2, 4, 6, 8, 10):  # an answer makes room for the next request, and for one more
        assert starters.exactly(in_all)
        gate.answered(remaining(1000))
    starters.add(0)
    assert starters.exactly(12)


def test_no_more_requests_are_in_flight_than_mimecast_said_are_left(time: FakeTime, gate: RequestGate) -> None:
    gate.wait(Deadline(time.monotonic, 1e6))
    gate.answered(remaining(3))
    starters = Starters(gate, time)
    starters.add(8)
    assert starters.exactly(3)
    gate.answered(remaining(2))  # two of them are still in flight
    assert starters.exactly(3)
    gate.answered(remaining(8))
    assert starters.exactly(8)


@pytest.mark.parametrize("how", ["answered", "refused", "unanswered"])
def test_whatever_becomes_of_a_request_its_place_is_free_again(how: str, time: FakeTime, gate: RequestGate) -> None:
    gate.wait(Deadline(time.monotonic, 1e6))
    gate.answered(remaining(1))
    gate.wait(Deadline(time.monotonic, 1e6))
    starters = Starters(gate, time)
    starters.add(1)
    assert starters.exactly(0)
    if how == "unanswered":
        gate.unanswered()
    else:
        getattr(gate, how)({"X-RateLimit-Reset": "100"})
    assert starters.exactly(1)


def test_a_quota_that_is_back_as_a_whole_costs_one_probe_and_not_one_pause_for_each_worker(
    time: FakeTime, gate: RequestGate
) -> None:
    gate.answered(remaining(0) | {"X-RateLimit-Reset": "60000"})
    begun = time.monotonic()
    gate.wait(Deadline(time.monotonic, 1e6))
    gate.answered(remaining(59))
    starters = Starters(gate, time)
    starters.add(8)
    assert starters.exactly(8)
    assert 60 <= time.monotonic() - begun < 61


def test_a_429_without_a_time_pauses_for_the_usual_time(time: FakeTime, gate: RequestGate) -> None:
    gate.refused({})
    begun = time.monotonic()
    gate.wait(Deadline(time.monotonic, 1e6))
    assert time.monotonic() - begun >= DEFAULT_PAUSE_S


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize("window", ["bucket", "fixed"])
def test_of_a_tenant_with_60_requests_a_second_nothing_is_lost(workers: int, window: str) -> None:
    world = World(workers=workers, Max_Messages_To_Return="1000")
    world.tenant.latency_s = 0.001
    timer = timer_of(world)
    world.tenant.rate_limit = RateLimit(60, timer) if window == "bucket" else FixedWindow(60, 1.0, timer)
    world.tenant.add(*held_mails(370, RECENTLY))
    result = world.cycle()
    assert len(result.alerts) == 370
    assert len(set(world.tickets())) == 370


@pytest.mark.parametrize("window", ["bucket", "fixed"])
def test_quota_that_runs_out_is_noticed_before_mimecast_refuses(window: str) -> None:
    world = World(workers=1, Max_Messages_To_Return="1000")
    timer = timer_of(world)
    world.tenant.rate_limit = limit = RateLimit(10, timer) if window == "bucket" else FixedWindow(10, 1.0, timer)
    world.tenant.add(*held_mails(60, RECENTLY))
    assert len(world.cycle().alerts) == 60
    assert limit.refused == 0


def test_a_volley_of_429_is_one_pause_and_loses_nothing() -> None:
    world = World()
    world.tenant.add(*held_mails(40, RECENTLY))
    world.tenant.fault(Fault("429", path=DETAILS, times=8, after=5, reset_ms=2000))
    result = world.cycle()
    assert len(result.alerts) == 40
    assert result.requests[DETAILS] == 40 + 8
    assert result.seconds >= 2
