"""An environment made of a package's wheels alone, offline, under the local platform: what the platform would make.

On the platform an integration's environment has the managers at its root, the wheels installed, and the platform's SDK
beside them. Here the SDK is the workbench's; TIPCommon and EnvironmentCommon are the package's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.tags import sys_tags

from devkit.packer.archive import unpack
from devkit.packer.package import DEPENDENCIES, KINDS, MANAGERS, PYTHON, Finding, Package, PackError
from devkit.packer.wheel import Wheel
from devkit.platform.sdk_in_use import OWN_SDK

_HERE = Path(__file__).parent
_TIMEOUT_S = 600.0
_PIP_OPTIONS = ("--quiet", "--no-index", "--no-deps", "--no-compile", "--no-input", "--disable-pip-version-check")


def why_not_here(wheels: Sequence[Wheel]) -> str:
    """Tell why an environment of these wheels can't be made on this machine; an empty text if it can.

    Args:
        wheels: The package's wheels.
    """
    if sys.version_info[:2] != PYTHON:
        return f"this is Python {sys.version_info[0]}.{sys.version_info[1]}, the wheels are for 3.11"
    here = set(sys_tags())
    foreign = [wheel.file for wheel in wheels if not wheel.tags & here]
    return f"{len(foreign)} wheels are for another platform than this machine, such as {foreign[0]}" if foreign else ""


def make_environment(folder: Path, wheels: Sequence[Path]) -> Path:
    """Make an environment of wheels alone, without any index.

    Args:
        folder: Where; it must not be there yet.
        wheels: The wheels' files.

    Returns:
        Its Python. The workbench's SDK can be imported by it; the managers come from PYTHONPATH.

    Raises:
        PackError: The wheels can't be installed.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", *_PIP_OPTIONS, *map(str, wheels)]
    done = _run(install, os.environ | {"PIP_CONFIG_FILE": os.devnull})
    if done.returncode:
        raise PackError(f"{DEPENDENCIES}: the wheels can't be installed: {' '.join(done.stderr.split())}")
    site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    shutil.copy(_HERE / "sdk_gaps.py", site_packages)
    # A .pth file's folders come after site-packages: the package's own TIPCommon goes before the workbench's.
    (site_packages / "zz_local_platform.pth").write_text(f"{OWN_SDK}\nimport sdk_gaps\n", encoding="utf-8")
    return python


def import_findings(package: Package) -> Iterator[Finding]:
    """Import every script and manager in a clean environment.

    Args:
        package: A package with its wheels.
    """
    with tempfile.TemporaryDirectory(prefix="mimecast-clean-") as name:
        folder = Path(name)
        unpack(package.files, folder / "package")
        root = folder / "package"
        try:
            python = make_environment(folder / "environment", sorted((root / DEPENDENCIES).glob("*.whl")))
        except PackError as error:
            file, _, problem = str(error).partition(": ")
            yield Finding(file, problem)
            return
        scripts = [
            path for part in (MANAGERS, *(kind.scripts for kind in KINDS)) for path in package.under(part, ".py")
        ]
        answer = folder / "problems.json"
        done = _run(
            [str(python), "-B", str(_HERE / "import_probe.py"), str(answer), *(str(root / path) for path in scripts)],
            _clean_variables(root),
        )
        if not answer.exists():
            yield Finding(DEPENDENCIES, f"the environment made of the wheels does not work: {done.stderr[-300:]}")
            return
        for path, problem in json.loads(answer.read_text(encoding="utf-8")).items():
            relative = Path(path).relative_to(root).as_posix()
            yield Finding(relative, f"in an environment made of the package's wheels alone: {problem}")


def _clean_variables(root: Path) -> dict[str, str]:
    """Return the environment's variables without those that would bring other modules in."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return inherited | {"PYTHONPATH": str(root / MANAGERS)}


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - an interpreter and scripts of ours, no shell
        command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
