"""Each deliberate breakage of the repository is found, and named in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from devkit.packer.assemble import assemble
from devkit.packer.event_terms import EventTerms
from devkit.packer.package import Package
from devkit.packer.pins import Pin
from devkit.packer.verify import tree_findings
from tests.packer.breakages import BREAKAGES
from tests.packer.workshop import REPOSITORY, copy_repository


def look(root: Path, pins: list[Pin], terms: EventTerms) -> list[str]:
    return [str(finding) for finding in tree_findings(Package(assemble(root)), root, pins, terms)]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, pins: list[Pin], terms: EventTerms) -> list[str]:
    """What is found before anything is broken."""
    root = copy_repository(tmp_path_factory.mktemp("whole") / "repository")
    shutil.rmtree(root / "resources" / "ai")
    return look(root, pins, terms)


def test_nothing_is_wrong_with_the_repository(pins: list[Pin], terms: EventTerms) -> None:
    assert look(REPOSITORY, pins, terms) == []


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_breakage_is_named_in_one_line(
    name: str, repository: Path, pins: list[Pin], terms: EventTerms, before: list[str]
) -> None:
    breakage, expected = BREAKAGES[name]
    shutil.rmtree(repository / "resources" / "ai")  # it names the actions, whose names are changed here
    breakage(repository)

    new = [line for line in look(repository, pins, terms) if line not in before]
    assert len(new) == 1, new
    assert expected in new[0]
    assert "\n" not in new[0]
