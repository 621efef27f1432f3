"""Runs a script under cProfile, its worker threads too, and writes the profile to a file.

Started by the platform in the script's place; two environment variables say which script and which file.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import runpy
import sys
import threading
import time
from pathlib import Path

SCRIPT_VARIABLE = "BENCH_PROFILED_SCRIPT"
FILE_VARIABLE = "BENCH_PROFILE_FILE"


def main() -> None:
    """Run the script; the profile is written whatever becomes of it."""
    script, target = os.environ[SCRIPT_VARIABLE], os.environ[FILE_VARIABLE]
    main_thread = cProfile.Profile(time.thread_time)
    of_threads: list[cProfile.Profile] = []
    run = threading.Thread.run

    def profiled_run(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        of_threads.append(profile)
        profile.runcall(run, thread)

    setattr(threading.Thread, "run", profiled_run)  # noqa: B010 - mypy doesn't follow a method that is replaced
    sys.path.insert(0, str(Path(script).parent))
    try:
        main_thread.runcall(runpy.run_path, script, run_name="__main__")
    finally:
        stats = pstats.Stats(main_thread)
        for profile in of_threads:
            profile.create_stats()
            if profile.stats:  # a thread that never got anything to do has none
                stats.add(profile)
        stats.dump_stats(target)


if __name__ == "__main__":
    main()
