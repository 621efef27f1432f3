"""A wheel: what its name, its metadata and its contents say, and whether the platform can use it."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from devkit.packer.package import PYTHON, PackError

_INTERPRETER = "cp311"
_NEWEST_GLIBC, _OLDEST_GLIBC = 17, 5
_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
PLATFORMS = tuple(
    f"{name}_x86_64"
    for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
    for name in (f"manylinux_2_{minor}", _ALIASES.get(minor))
    if name
)
"""What the platform runs on: x86_64 with glibc 2.17 or newer (package format, 4), best first."""

TAGS = {
    tag: rank
    for rank, tag in enumerate(
        [
            *cpython_tags(PYTHON, [_INTERPRETER], PLATFORMS),
            *compatible_tags(PYTHON, _INTERPRETER, PLATFORMS),
        ]
    )
}
"""Every tag that fits, best first."""

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""The platform as environment markers see it. Of 3.11, the oldest: what only that one needs has to be there too."""


@dataclass(frozen=True)
class Wheel:
    """One wheel in memory.

    Attributes:
        file: Its file name.
        content: Its bytes.
        display_name: The name its metadata gives.
        version: Its version.
        tags: What it was built for.
    """

    file: str
    content: bytes = field(repr=False)
    display_name: str
    version: Version
    tags: frozenset[Tag]

    @classmethod
    def read(cls, file: str, content: bytes) -> Wheel:
        """Read a wheel's name and metadata.

        Raises:
            PackError: Its name is no wheel's, it is torn, or its metadata are missing or of another distribution.
        """
        name, version, tags = parse_file_name(file)
        wheel = cls(file, content, name, version, tags)
        said = wheel.metadata.get("name", ""), wheel.metadata.get("version", "")
        if (canonicalize_name(said[0]), said[1]) not in {(name, str(version)), (name, file.split("-")[1])}:
            raise PackError(f"{file}: its metadata say that it is {said[0]} {said[1]}")
        return cls(file, content, said[0], version, tags)

    @property
    def name(self) -> str:
        """Its name as distributions are compared."""
        return canonicalize_name(self.display_name)

    @cached_property
    def sha256(self) -> str:
        """Its hash."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def fits(self) -> bool:
        """Whether the platform can install it."""
        return bool(self.tags & TAGS.keys())

    @cached_property
    def metadata(self) -> RawMetadata:
        """Its METADATA.

        Raises:
            PackError: It is torn or has none.
        """
        for name, content in self._members("METADATA"):
            if name.count("/") == 1:
                return parse_email(content)[0]
        raise PackError(f"{self.file}: it has no METADATA")

    @cached_property
    def top_levels(self) -> frozenset[str]:
        """The names it can be imported by."""
        tops = set()
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            for name in archive.namelist():
                first, slash, _ = name.partition("/")
                if slash and not first.endswith((".dist-info", ".data")):
                    tops.add(first)
                elif not slash and PurePosixPath(first).suffix in {".py", ".so"}:
                    tops.add(first.partition(".")[0])
        return frozenset(tops)

    @property
    def licence(self) -> str:
        """Its licence: an expression, a short name, what its classifiers say, or the heading of its licence file."""
        metadata = self.metadata
        named = metadata.get("license_expression") or metadata.get("license") or ""
        if named and "\n" not in named:
            return named
        classified = [
            text.rpartition(" :: ")[2] for text in metadata.get("classifiers", []) if text.startswith("License :: ")
        ]
        return " OR ".join(classified) or self._licence_heading or "unknown"

    @property
    def _licence_heading(self) -> str:
        for _, content in self._members("LICENSE"):
            lines = (line.strip() for line in content.decode("utf-8", "replace").splitlines())
            return ", ".join([line for line in lines if line][:2])
        return ""

    def requirements(self, extras: frozenset[str] = frozenset()) -> list[Requirement]:
        """Return what it needs on the platform.

        Args:
            extras: Extras that are asked for.
        """
        needed = []
        for text in self.metadata.get("requires_dist", []):
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({**MARKERS, "extra": extra}) for extra in ("", *extras)):
                needed.append(requirement)
        return needed

    def _members(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Give the files of a name in its .dist-info folder."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
                for member in archive.namelist():
                    path = PurePosixPath(member)
                    if path.name == name and path.parts[0].endswith(".dist-info"):
                        yield member, archive.read(member)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise PackError(f"{self.file}: the wheel is torn or none at all: {error}") from None


def parse_file_name(file: str) -> tuple[str, Version, frozenset[Tag]]:
    """Return the canonical name, version and tags that a wheel's file name says.

    Raises:
        PackError: It is no wheel's name.
    """
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        raise PackError(f"{file}: this is no wheel's file name") from None
    return name, version, tags


def rank(tags: frozenset[Tag]) -> int:
    """Return how well tags fit; the lower the better, and more than any rank if they don't fit."""
    return min((TAGS[tag] for tag in tags if tag in TAGS), default=len(TAGS))
