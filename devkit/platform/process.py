"""A script's process: started, watched, stopped at its time-out, read when it has ended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Generic, TypeVar

from devkit.platform.results import Ended, ScriptRun

POLL_S = 0.005
TERMINATION_GRACE_S = 5.0
"""How long a script may take to go after SIGTERM, before it is killed."""

_KIB_PER_MIB = 1024
_MAX_STDERR_CHARACTERS = 200_000

Run = TypeVar("Run", bound=ScriptRun)


class RunningScript(Generic[Run]):
    """A script that has been started; ``finish`` waits for its end.

    Standard streams are files, so that nothing blocks however much is written.

    Args:
        command: Interpreter, script, arguments.
        stdin: What the script reads.
        environment: All variables of the process.
        folder: Its working directory.
        timeout_s: When it is stopped, counted from the start.
        complete: Makes the result of exit status, end, seconds, stdout, stderr and peak memory.
    """

    def __init__(
        self,
        command: list[str],
        stdin: bytes,
        environment: dict[str, str],
        folder: Path,
        timeout_s: float,
        complete: Callable[[ScriptRun], Run],
    ) -> None:
        self._complete = complete
        self._stdout = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
        self._ended = Ended.BY_ITSELF
        self._peak_rss_mib: float | None = None
        self._run: Run | None = None
        with tempfile.TemporaryFile() as stdin_file:
            stdin_file.write(stdin)
            stdin_file.seek(0)
            self._started = time.monotonic()
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter and a script of ours, no shell
                command, stdin=stdin_file, stdout=self._stdout, stderr=self._stderr, env=environment, cwd=folder
            )
        self._deadline = self._started + timeout_s

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def terminate(self) -> None:
        """Ask the process to go (SIGTERM; on Windows this is ``kill``)."""
        self._stop(self._process.terminate, Ended.STOPPED)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._stop(self._process.kill, Ended.STOPPED)

    def wait_until_gone(self) -> None:
        """Wait until the process is no more."""
        self._process.wait()

    def finish(self) -> Run:
        """Wait for the end, at most until the time-out, and return what came of it."""
        if self._run is not None:
            return self._run
        while self.running:
            self._look_at_memory()
            if time.monotonic() > self._deadline:
                self._time_out()
                break
            time.sleep(POLL_S)
        seconds = time.monotonic() - self._started
        self._run = self._complete(
            ScriptRun(
                exit_code=self._process.wait(),
                ended=self._ended,
                seconds=seconds,
                stdout=_read(self._stdout),
                stderr=_read(self._stderr)[-_MAX_STDERR_CHARACTERS:],
                peak_rss_mib=self._peak_rss_mib,
            )
        )
        return self._run

    def _time_out(self) -> None:
        self._stop(self._process.terminate, Ended.TIMED_OUT)
        try:
            self._process.wait(TERMINATION_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _stop(self, how: Callable[[], None], ended: Ended) -> None:
        if self.running:
            self._ended = ended
            how()

    def _look_at_memory(self) -> None:
        """Read the kernel's own high-water mark; other systems have none that outlives the moment."""
        if sys.platform != "linux":
            return
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return  # the process has just gone
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                self._peak_rss_mib = int(line.split()[1]) / _KIB_PER_MIB


def _read(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode("utf-8", errors="replace")
