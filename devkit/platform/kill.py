"""Killing a script at a chosen moment: when it makes a certain call to the platform."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devkit.platform.process import RunningScript
from devkit.platform.server import Call, PlatformServer


@dataclass(frozen=True)
class Kill:
    """The moment at which a script is killed (SIGKILL).

    Attributes:
        when: Tells the call, the first one it says yes to counts.
        after_applying: Whether the call is carried out, so that only its answer gets lost.
    """

    when: Callable[[Call], bool]
    after_applying: bool = False


class ScriptKilledError(Exception):
    """Ends a call whose script is gone."""


class Killer:
    """Listens to the server, on top of whoever listens already, until ``stop``."""

    def __init__(self, server: PlatformServer, kill: Kill) -> None:
        self._server = server
        self._kill = kill
        self._done = False
        self._script: RunningScript[Any] | None = None
        self._armed = threading.Event()
        self._previous = server.on_call
        server.on_call = self._listen

    def arm(self, script: RunningScript[Any]) -> None:
        """Say which script it is about; a call that comes earlier waits."""
        self._script = script
        self._armed.set()

    def stop(self) -> None:
        """Listen no more; the fatal call has been carried out, or not, when this returns."""
        self._server.wait_until_idle()
        self._server.on_call = self._previous

    def _listen(self, call: Call) -> None:
        if self._previous:
            self._previous(call)
        if self._done or not self._kill.when(call):
            return
        self._done = True
        self._armed.wait()
        if self._script:
            self._script.kill()
            self._script.wait_until_gone()
        if not self._kill.after_applying:
            raise ScriptKilledError(call.path)
