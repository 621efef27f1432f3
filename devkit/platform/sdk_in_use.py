"""Which SDK scripts run under: Google's own with TIPCommon and EnvironmentCommon if all are installed, else ours.

Nothing is imported to find out, so the answer costs next to nothing.
"""

from __future__ import annotations

import importlib.metadata
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

OWN_SDK = Path(__file__).resolve().parent.parent / "sdk"

_SDK_PACKAGE = "soar_sdk"
_COMPANIONS = ("TIPCommon", "EnvironmentCommon")


def is_google() -> bool:
    """Tell whether scripts run under Google's SDK."""
    return _google_sdk_folder() is not None and all(_find(name) for name in _COMPANIONS)


def paths() -> list[Path]:
    """Return the folders that PYTHONPATH needs for the SDK's modules."""
    folder = _google_sdk_folder()
    return [folder] if is_google() and folder else [OWN_SDK]


def describe() -> str:
    """Say which SDK is in use, with versions."""
    if not is_google():
        return f"devkit/sdk, our own modules (Python {sys.version.split()[0]})"
    versions = [f"{name} {_version(name)}" for name in _COMPANIONS]
    return f"Google's SOAR SDK {_version('soar-sdk')}, {', '.join(versions)} (Python {sys.version.split()[0]})"


def _google_sdk_folder() -> Path | None:
    """Return the folder with Google's flat modules, be it on the path itself or within the package ``soar_sdk``."""
    flat = _find("SiemplifyAction")
    if flat and flat.origin:
        return Path(flat.origin).parent
    package = _find(_SDK_PACKAGE)
    return Path(package.origin).parent if package and package.origin else None


def _find(name: str) -> ModuleSpec | None:
    """Find an installed module; our own SDK, should it be on the path, does not count."""
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != OWN_SDK]
    return PathFinder.find_spec(name, elsewhere)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"
