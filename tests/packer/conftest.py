"""Copies of the repository to break, and the events' terms, asked for once."""

from __future__ import annotations

from pathlib import Path

import pytest

from devkit.packer.assemble import assemble
from devkit.packer.event_terms import EventTerms, event_terms
from devkit.packer.package import Package
from devkit.packer.pins import Pin, read_pins
from tests.packer.workshop import REPOSITORY, copy_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return copy_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """The repository's package, assembled. Not to be changed."""
    return assemble(REPOSITORY)


@pytest.fixture(scope="session")
def terms(files: dict[str, bytes]) -> EventTerms:
    return event_terms(Package(files))


@pytest.fixture(scope="session")
def pins() -> list[Pin]:
    return read_pins(REPOSITORY)
