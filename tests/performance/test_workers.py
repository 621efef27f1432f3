"""Side by side: bounded, lazy, and over when it is over."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from MimecastWorkers import run_in_parallel
from tests.performance.threads import PATIENCE_S, wait_until_no_worker_is_left, workers_alive

MANAGERS = Path(__file__).parents[2] / "Managers"


class Gate:
    """Work that goes on only when it is told to; it knows what is in work."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.most_at_once = 0
        self._in_work = 0
        self._lock = threading.Condition()
        self._open: set[int] = set()

    def work(self, item: int) -> int:
        with self._lock:
            self.started.append(item)
            self._in_work += 1
            self.most_at_once = max(self.most_at_once, self._in_work)
            self._lock.notify_all()
            assert self._lock.wait_for(lambda: item in self._open, PATIENCE_S)
            self._in_work -= 1
        return item * 10

    def let(self, *items: int) -> None:
        with self._lock:
            self._open.update(items)
            self._lock.notify_all()

    def wait_until_started(self, count: int) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.started) >= count, PATIENCE_S)


@pytest.fixture(autouse=True)
def nobody_else_is_at_work() -> None:
    wait_until_no_worker_is_left()


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_every_item_is_worked_on_once_and_keeps_its_result(workers: int) -> None:
    results = list(run_in_parallel(lambda item: item * 10, range(100), workers))
    assert sorted(results) == [(item, item * 10) for item in range(100)]


def test_as_many_as_allowed_are_in_work_at_once_and_no_more() -> None:
    gate = Gate()
    results = run_in_parallel(gate.work, range(20), 4)
    for item in range(20):
        gate.let(item)
        next(results)
        assert len(gate.started) <= item + 1 + 4
    assert list(results) == []
    assert gate.most_at_once <= 4


def test_results_come_in_the_order_in_which_they_are_ready() -> None:
    gate = Gate()
    results = run_in_parallel(gate.work, range(3), 3)
    gate.let(2)
    assert next(results) == (2, 20)
    gate.let(0)
    assert next(results) == (0, 0)
    gate.let(1)
    assert next(results) == (1, 10)


def test_items_are_taken_only_when_a_worker_is_free() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = run_in_parallel(lambda item: item, items(), 3)
    for _ in range(10):
        next(results)
    results.close()
    assert len(taken) <= 10 + 3


@pytest.mark.parametrize("workers", [1, 3])
def test_what_may_not_start_is_not_taken(workers: int) -> None:
    done = []
    results = run_in_parallel(lambda item: item, range(100), workers, may_start=lambda busy: len(done) + busy < 7)
    for item, _ in results:
        done.append(item)
    assert sorted(done) == list(range(7))


def test_for_one_item_there_is_one_thread() -> None:
    gate = Gate()
    results = run_in_parallel(gate.work, [0], 8)
    gate.let(0)
    assert list(results) == [(0, 0)]
    assert len(workers_alive()) <= 1
    wait_until_no_worker_is_left()


def test_one_worker_works_in_the_callers_own_thread() -> None:
    names = {name for _, name in run_in_parallel(lambda _: threading.current_thread().name, range(3), 1)}
    assert names == {threading.current_thread().name}


def test_no_thread_is_left_when_all_is_done() -> None:
    assert len(list(run_in_parallel(lambda item: item, range(50), 8))) == 50
    wait_until_no_worker_is_left()


def test_an_error_comes_out_at_once_and_nothing_more_is_started() -> None:
    gate = Gate()

    def work(item: int) -> int:
        if item == 2:
            gate.wait_until_started(2)
            raise KeyError("broken")
        return gate.work(item)

    with pytest.raises(KeyError):
        list(run_in_parallel(work, range(100), 3))
    assert sorted(gate.started) == [0, 1]  # both are still waiting for their answers
    gate.let(0, 1)
    wait_until_no_worker_is_left()
    assert sorted(gate.started) == [0, 1]


def test_whoever_stops_asking_leaves_no_thread_behind() -> None:
    gate = Gate()
    results = run_in_parallel(gate.work, range(100), 4)
    gate.let(0)
    next(results)
    results.close()
    gate.let(*range(100))
    wait_until_no_worker_is_left()
    assert len(gate.started) <= 1 + 4


HANGING = """
import sys, threading
sys.path.insert(0, {managers!r})
from MimecastWorkers import run_in_parallel

started = threading.Semaphore(0)

def work(item):
    if item == 7:
        for _ in range(7):
            started.acquire()
        raise SystemExit(7)
    started.release()
    threading.Event().wait()  # for ever

list(run_in_parallel(work, range(8), 8))
"""


def test_a_process_that_ends_does_not_wait_for_what_hangs() -> None:
    script = HANGING.format(managers=str(MANAGERS))
    assert subprocess.run([sys.executable, "-c", script], timeout=PATIENCE_S, check=False).returncode == 7
