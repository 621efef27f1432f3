"""Downloads wheels from the package index that pip is set up for, by pip itself: hashes required, wheels only."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from devkit.packer.package import PackError
from devkit.packer.pins import Pin
from devkit.packer.wheel import PLATFORMS, Wheel

_OPTIONS = (
    "--no-deps",  # the list is complete, and the verifier proves it
    "--require-hashes",
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--abi=abi3",
    "--abi=none",
    *(f"--platform={platform}" for platform in PLATFORMS),
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
)
_SHOWN = 3
"""How many of the wanted wheels an error names."""
_TURNS_TO = re.compile(r"(?:Collecting|Processing) (?:\S*/)?([A-Za-z0-9._]+(?:-[A-Za-z0-9._]+)*?)(?:==|-\d)")
"""pip turns to a distribution: ``Collecting name==1.0 …`` or ``Processing /folder/name-1.0-….whl …``."""
_ERROR = re.compile(r"ERROR: (.*)")


def download_from_index(pins: Sequence[Pin], progress: Callable[[str], None]) -> list[Wheel]:
    """Download the wheels of pins.

    Args:
        pins: What is wanted; all are on the index.
        progress: Called once for each, when pip turns to it.

    Returns:
        The wheels, in any order.

    Raises:
        PackError: pip could not, in pip's words.
    """
    with tempfile.TemporaryDirectory(prefix="mimecast-wheels-") as temporary:
        folder = Path(temporary)
        wanted = folder / "requirements.txt"
        wanted.write_text("".join(map(_line, pins)), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", *_OPTIONS, "-r", str(wanted), "-d", str(folder)]
        waiting = {pin.name: str(pin) for pin in pins}
        output = _run(command, lambda name: progress(waiting.pop(name)) if name in waiting else None)
        if output is not None:
            more = len(pins) - _SHOWN
            names = ", ".join(map(str, pins[:_SHOWN])) + (f" and {more} more" if more > 0 else "")
            raise PackError(
                f"{names}: pip could not get the wheels: {output} Either let pip reach its package index, or name a "
                "folder that has the wheels: --wheels FOLDER."
            )
        for one in waiting.values():  # of which pip did not speak
            progress(one)
        return [Wheel.read(path.name, path.read_bytes()) for path in sorted(folder.glob("*.whl"))]


def _line(pin: Pin) -> str:
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in sorted(pin.hashes))
    return f"{pin.display_name}=={pin.version} {hashes}\n"


def _run(command: list[str], turns_to: Callable[[str], None]) -> str | None:
    """Run pip; return None if it went well, else what it said was wrong."""
    lines = []
    with subprocess.Popen(  # noqa: S603 - our own interpreter's pip
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if found := _TURNS_TO.match(line):
                turns_to(canonicalize_name(found.group(1)))
    if process.returncode == 0:
        return None
    errors = [found.group(1) for line in lines if (found := _ERROR.match(line))] or lines[-1:] or ["it said nothing."]
    return " ".join(" ".join(errors).split())
