"""Rules on the vendored wheels: each is the pinned one, fits the platform, and together they are complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from devkit.packer.package import DEPENDENCIES, Finding, Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.wheel import MARKERS, Wheel

_PYTHON = Version(MARKERS["python_full_version"])


def read_wheels(package: Package) -> tuple[list[Wheel], list[Finding]]:
    """Read the package's wheels.

    Returns:
        The readable ones, and what is wrong with the others.
    """
    wheels, findings = [], []
    for path in package.under(DEPENDENCIES, ".whl"):
        try:
            wheels.append(Wheel.read(PurePosixPath(path).name, package.files[path]))
        except PackError as error:
            findings.append(Finding(path, str(error).partition(": ")[2]))
    return wheels, findings


def wheel_findings(wheels: Sequence[Wheel], pins: Sequence[Pin]) -> Iterator[Finding]:
    """Judge the wheels.

    Args:
        wheels: All readable wheels of a package.
        pins: What should be there.
    """
    pinned = {pin.name: pin for pin in pins}
    present: dict[str, Wheel] = {}
    for wheel in wheels:
        path = f"{DEPENDENCIES}/{wheel.file}"
        if wheel.name in present:
            yield Finding(path, f"{wheel.display_name} is there twice, also as {present[wheel.name].file}")
            continue
        present[wheel.name] = wheel
        yield from _one(path, wheel, pinned.get(wheel.name))
    for pin in pins:
        if pin.name not in present:
            yield Finding(DEPENDENCIES, f"the wheel of {pin} is missing")
    for wheel in wheels:
        for finding, name in _needs(f"{DEPENDENCIES}/{wheel.file}", wheel, present):
            if name in present or name not in pinned:  # else it has been said that the pinned one is missing
                yield finding


def _one(path: str, wheel: Wheel, pin: Pin | None) -> Iterator[Finding]:
    if not wheel.fits:
        yield Finding(path, "it is for another platform than CPython 3.11 on x86_64 Linux with glibc 2.17")
    supported = wheel.metadata.get("requires_python")
    if supported and _PYTHON not in SpecifierSet(supported):
        yield Finding(path, f"it needs Python {supported}")
    if pin is None:
        yield Finding(path, "it is not pinned")
    elif wheel.version != pin.version:
        yield Finding(path, f"{pin.version} is the pinned version")
    elif wheel.sha256 not in pin.hashes:
        yield Finding(path, f"its sha256 {wheel.sha256} is not a pinned one")


def _needs(path: str, wheel: Wheel, present: dict[str, Wheel]) -> Iterator[tuple[Finding, str]]:
    """Follow what a wheel asks for on the platform, with the extras it asks for; give what is not met, and its name."""
    try:
        waiting = wheel.requirements()
    except InvalidRequirement as error:
        yield Finding(path, f"what it requires can't be read: {error}"), wheel.name
        return
    seen = set()
    while waiting:
        requirement = waiting.pop(0)
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        other = present.get(name)
        if other is None:
            yield Finding(path, f"it needs {requirement}, and no wheel of it is there"), name
        elif not requirement.specifier.contains(other.version, prereleases=True):
            yield Finding(path, f"it needs {requirement}, and {other.version} is there"), name
        elif requirement.extras:
            plain = {str(needed) for needed in other.requirements()}
            waiting += [
                needed for needed in other.requirements(frozenset(requirement.extras)) if str(needed) not in plain
            ]
