"""Reads side by side: bounded, lazy, results as they come. Daemon threads, so none outlives the script."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterable
from multiprocessing.pool import ThreadPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = 8
"""Requests in flight at once."""


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
    done: queue.SimpleQueue[tuple[Item, Result | None, BaseException | None]] = queue.SimpleQueue()

    def run(item: Item) -> None:
        try:
            done.put((item, work(item), None))
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            done.put((item, None, error))

    pool: ThreadPool | None = None
    in_flight, more = 0, True
    try:
        while True:
            while more and in_flight < workers and may_start(in_flight):
                try:
                    item = next(waiting)
                except StopIteration:
                    more = False
                    break
                pool = pool or ThreadPool(workers)
                pool.apply_async(run, (item,))
                in_flight += 1
            if in_flight == 0:
                return
            item, result, error = done.get()
            in_flight -= 1
            if error is not None:
                raise error
            yield item, result  # type: ignore[misc]  # there is a result where there is no error
    finally:
        if pool is not None:
            pool.terminate()
