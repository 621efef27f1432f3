"""The connector's worker threads, as they are seen from outside."""

from __future__ import annotations

import threading

PATIENCE_S = 60


def workers_alive() -> list[threading.Thread]:
    """Worker threads that are still there."""
    return [thread for thread in threading.enumerate() if thread.name == "Mimecast worker"]


def wait_until_no_worker_is_left() -> None:
    """They end by themselves, once nothing holds them up; nobody has to wait for that but a test."""
    for thread in workers_alive():
        thread.join(PATIENCE_S)
    assert workers_alive() == []
