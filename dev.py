#!/usr/bin/env python3
"""The one entry for people: ``python3 dev.py demo | run | serve | test | lint | bench | build | check | …``.

It makes the folder ``.venv`` (or the one that DEV_VENV names) with everything the workbench needs, pinned and hashed,
and hands over to ``devkit``. Until then it uses the standard library only. Written for Linux, macOS and Windows.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements-dev.txt"
PYTHON = (3, 11)


def main() -> int:
    """Set the environment up if needed, and run the command in it."""
    if sys.version_info[:2] != PYTHON:
        return _with_right_python()
    python = _environment()
    if python is None:
        return 1
    # A fresh process, so that the command sees the environment's packages only.
    return subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [str(python), "-m", "devkit", *sys.argv[1:]], check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ).returncode


def _with_right_python() -> int:
    other = shutil.which("python3.11")
    if other is None:
        print(
            f"This needs Python 3.11, the platform's version; {sys.version.split()[0]} is running, and no python3.11 "
            "is on the path. Install it and run this again.",
            file=sys.stderr,
        )
        return 1
    return subprocess.run([other, str(ROOT / "dev.py"), *sys.argv[1:]], check=False).returncode  # noqa: S603


def _environment() -> Path | None:
    """Make the virtual environment, or bring it up to date; return its interpreter."""
    folder = Path(os.environ.get("DEV_VENV") or ROOT / ".venv")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Setting up {folder} (once; about a minute) …", file=sys.stderr, flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    done = subprocess.run([*command, "-r", str(REQUIREMENTS)], check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        print(
            f"The packages of {REQUIREMENTS.name} could not be installed; see above. Is the package index reachable? "
            "Running the command again goes on from here.",
            file=sys.stderr,
        )
        return None
    stamp.write_text(wanted)
    return python


if __name__ == "__main__":
    sys.exit(main())
