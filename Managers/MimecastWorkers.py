"""Reads side by side: bounded, lazy, results as they come. Daemon threads, so none outlives the script."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = 8
"""Requests in flight at once."""

_Outcome = tuple[Item, Result | None, BaseException | None]


def run_in_parallel(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    *,
    may_start: Callable[[int], bool] = lambda in_flight: True,
) -> Generator[tuple[Item, Result]]:
    """Run a function over items, several at once, and give each result as soon as it is there.

    An item is taken when a worker is free for it, not before; so work that turns out not to be needed isn't started.
    If the function raises, the first exception comes out here and nothing more is started.

    Args:
        work: What to do with an item; runs in another thread unless there is one worker only.
        items: Taken lazily.
        workers: How many at once.
        may_start: Asked with the number of items in work before the next one is taken; False holds it back until a
            result has come, and ends everything if none is in work.

    Yields:
        Item and result, in order of completion.
    """
    waiting = iter(items)
    if workers <= 1:
        while may_start(0):
            for item in waiting:
                yield item, work(item)
                break
            else:
                return
        return
    crew = _Crew(work)
    more = True
    try:
        while True:
            while more and crew.busy < workers and may_start(crew.busy):
                try:
                    crew.start(next(waiting))
                except StopIteration:
                    more = False
            if not crew.busy:
                return
            yield crew.next_result()
    finally:
        crew.dismiss()


class _Crew(Generic[Item, Result]):
    """Daemon threads, as many as were needed at once."""

    def __init__(self, work: Callable[[Item], Result]) -> None:
        self._work = work
        self._given: queue.SimpleQueue[tuple[Item] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Outcome[Item, Result]] = queue.SimpleQueue()
        self._threads = 0
        self.busy = 0

    def start(self, item: Item) -> None:
        if self.busy == self._threads:
            threading.Thread(target=self._serve, name="Mimecast worker", daemon=True).start()
            self._threads += 1
        self.busy += 1
        self._given.put((item,))

    def next_result(self) -> tuple[Item, Result]:
        item, result, error = self._done.get()
        self.busy -= 1
        if error is not None:
            raise error
        return item, result  # type: ignore[return-value]  # there is a result where there is no error

    def dismiss(self) -> None:
        """Let threads end that are idle, and the others when their request does; nobody waits for that."""
        for _ in range(self._threads):
            self._given.put(None)

    def _serve(self) -> None:
        while (given := self._given.get()) is not None:
            self._done.put(self._outcome(given[0]))

    def _outcome(self, item: Item) -> _Outcome[Item, Result]:
        try:
            return item, self._work(item), None
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            return item, None, error
