"""The version is raised in three files, or in none."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from devkit.packer.assemble import assemble
from devkit.packer.event_terms import EventTerms
from devkit.packer.package import Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.verify import tree_findings
from devkit.packer.version import raise_version
from tests.packer.breakages import DEF

TODAY = date(2027, 1, 31)
VERSIONED = (DEF, "RN.json", "pyproject.toml")


def state(root: Path) -> list[bytes]:
    return [(root / name).read_bytes() for name in VERSIONED]


def test_all_three_files_say_the_new_version(repository: Path, pins: list[Pin], terms: EventTerms) -> None:
    changed = raise_version(repository, "10.0", " Newer wheels. ", TODAY)

    assert changed == sorted(VERSIONED)
    assert json.loads((repository / DEF).read_text(encoding="utf-8"))["Version"] == 10.0
    notes = json.loads((repository / "RN.json").read_text(encoding="utf-8"))
    assert notes[-1] == notes[0] | {
        "ChangeDescription": "Newer wheels.",
        "IntroducedInIntegrationVersion": 10.0,
        "New": False,
        "PublishTime": 1801353600,
    }
    assert '\nversion = "10.0"\n' in (repository / "pyproject.toml").read_text(encoding="utf-8")
    assert tree_findings(Package(assemble(repository)), repository, pins, terms) == []


def test_a_small_step_is_a_step(repository: Path) -> None:
    raise_version(repository, "9.1", "x", TODAY)

    assert json.loads((repository / DEF).read_text(encoding="utf-8"))["Version"] == 9.1


@pytest.mark.parametrize("version", ["9.0", "8.9", "10", "v10.0", "10.0.0", "nan", "\u0661\u0660.\u0660"])
def test_a_version_that_is_none_or_not_newer_is_refused(repository: Path, version: str) -> None:
    before = state(repository)

    with pytest.raises(PackError, match=r"a new version is two numbers with a point and above 9\.0"):
        raise_version(repository, version, "x", TODAY)
    assert state(repository) == before


@pytest.mark.parametrize("note", ["", "  ", "x" * 2051])
def test_a_note_is_needed(repository: Path, note: str) -> None:
    before = state(repository)

    with pytest.raises(PackError, match="--note: the release note needs 1 to 2050 characters"):
        raise_version(repository, "10.0", note, TODAY)
    assert state(repository) == before


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (DEF, "{}", "Integration-Mimecast.def: it has no readable Version"),
        ("RN.json", "{}", "RN.json: it should be a list"),
        ("pyproject.toml", "", 'pyproject.toml: it should have the line version = "…" once, it has it 0 times'),
    ],
)
def test_a_file_that_is_not_as_it_should_be_changes_nothing(
    repository: Path, name: str, text: str, problem: str
) -> None:
    (repository / name).write_text(text, encoding="utf-8")
    before = state(repository)

    with pytest.raises(PackError) as caught:
        raise_version(repository, "10.0", "x", TODAY)
    assert str(caught.value) == problem
    assert state(repository) == before
