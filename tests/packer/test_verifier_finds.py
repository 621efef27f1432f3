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
from tests.packer.workshop import REPOSITORY


def look(root: Path, pins: list[Pin], terms: EventTerms) -> list[str]:
    return [str(finding) for finding in tree_findings(Package(assemble(root)), root, pins, terms)]


def test_nothing_is_wrong_with_the_repository(pins: list[Pin], terms: EventTerms) -> None:
    assert look(REPOSITORY, pins, terms) == []


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_breakage_is_named_in_one_line(name: str, repository: Path, pins: list[Pin], terms: EventTerms) -> None:
    breakage, expected = BREAKAGES[name]
    shutil.rmtree(repository / "resources" / "ai", ignore_errors=True)  # names of actions are changed here
    before = look(repository, pins, terms)

    breakage(repository)

    new = [line for line in look(repository, pins, terms) if line not in before]
    assert len(new) == 1, new
    assert expected in new[0]
    assert "\n" not in new[0]
