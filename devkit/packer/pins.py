"""The pinned wheels: ``Dependencies/requirements.txt`` and ``Dependencies/hub-wheels.json``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from devkit.packer.package import DEPENDENCIES, PackError

REQUIREMENTS = f"{DEPENDENCIES}/requirements.txt"
HUB_WHEELS = f"{DEPENDENCIES}/hub-wheels.json"
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Pin:
    """One distribution at one version, with the hashes its wheel may have.

    Attributes:
        display_name: Its name as it is written.
        version: Its version.
        hashes: SHA-256 of the files that are trusted.
        url: Where its wheel is, if not on the package index.
    """

    display_name: str
    version: Version
    hashes: frozenset[str]
    url: str = ""

    @property
    def name(self) -> str:
        """Its name as distributions are compared."""
        return canonicalize_name(self.display_name)

    def __str__(self) -> str:
        return f"{self.display_name} {self.version}"


class _HubWheel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    url: str = Field(pattern="^https?://")


_HUB_WHEELS = TypeAdapter(list[_HubWheel])


def read_pins(root: Path) -> list[Pin]:
    """Read both lists.

    Args:
        root: The repository.

    Returns:
        The pins, sorted by name.

    Raises:
        PackError: A list is missing, an entry is not pinned or has no hash, or a name is there twice.
    """
    pins = _from_requirements(_read(root / REQUIREMENTS)) + _from_hub(_read(root / HUB_WHEELS))
    seen: set[str] = set()
    for pin in pins:
        if pin.name in seen:
            raise PackError(f"{DEPENDENCIES}: {pin.display_name} is pinned twice")
        seen.add(pin.name)
    return sorted(pins, key=lambda pin: pin.name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PackError(f"{path}: it can't be read: {error.strerror}") from None


def _from_requirements(text: str) -> list[Pin]:
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        wanted = line.partition("#")[0].partition("--hash")[0].strip()
        if not wanted:
            continue
        try:
            requirement = Requirement(wanted)
        except InvalidRequirement:
            raise PackError(f"{REQUIREMENTS}: this line is no requirement: {wanted}") from None
        exact = [item.version for item in requirement.specifier if item.operator == "=="]
        hashes = frozenset(_HASH.findall(line))
        if len(requirement.specifier) != 1 or len(exact) != 1 or "*" in exact[0]:
            raise PackError(f"{REQUIREMENTS}: {requirement.name} is not pinned to one version")
        if not hashes:
            raise PackError(f"{REQUIREMENTS}: {requirement.name} has no sha256 hash")
        pins.append(Pin(requirement.name, Version(exact[0]), hashes))
    return pins


def _from_hub(text: str) -> list[Pin]:
    try:
        wheels = _HUB_WHEELS.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise PackError(f"{HUB_WHEELS}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return [Pin(wheel.name, Version(wheel.version), frozenset({wheel.sha256}), wheel.url) for wheel in wheels]
