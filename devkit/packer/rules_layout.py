"""Rules on the layout: what lies where, what belongs together, and that nothing else is in the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from devkit.packer.package import (
    ACTIONS_AI,
    CONNECTOR,
    CONNECTORS_AI,
    DEPENDENCIES,
    INTEGRATION_AI,
    KINDS,
    MANAGERS,
    MAPPING_RULES,
    PYTHON_VERSION,
    RELEASE_NOTES,
    Finding,
    Package,
)

_FLAT_FOLDERS = {kind.definitions: kind.suffix for kind in KINDS} | dict.fromkeys(
    [*(kind.scripts for kind in KINDS), MANAGERS], ".py"
)
_FLAT_FOLDERS[DEPENDENCIES] = ".whl"
_SINGLE_FILES = frozenset({MAPPING_RULES, RELEASE_NOTES, PYTHON_VERSION, ACTIONS_AI, CONNECTORS_AI, INTEGRATION_AI})
_PYTHON = b"3.11\n"


def root_is_the_package(package: Package) -> Iterator[Finding]:
    """There is one integration definition, at the root: every consumer looks for it there."""
    if package.integration_path:
        return
    at_root = sorted(path for path in package.files if "/" not in path and path.endswith(".def"))
    deeper = sorted(path for path in package.files if PurePosixPath(path).match("*/Integration-*.def"))
    if at_root:
        yield Finding(", ".join(at_root), "there should be one Integration-<Identifier>.def")
    elif deeper:
        yield Finding(deeper[0], "it has to be at the ZIP's root, not in a folder")
    else:
        yield Finding("Integration-<Identifier>.def", "it is missing at the root")


def nothing_else_is_in_it(package: Package) -> Iterator[Finding]:
    """Every file is one that the format knows, in its folder, without folders below."""
    own = {package.integration_path, f"{package.identifier}.fulldetails"}
    for path in sorted(package.files):
        folder, _, name = path.rpartition("/")
        if path in own or path in _SINGLE_FILES:
            continue
        if folder in _FLAT_FOLDERS and name.endswith(_FLAT_FOLDERS[folder]) and name != "__init__.py":
            continue
        top = path.partition("/")[0]
        if top in _FLAT_FOLDERS and folder != top and name.endswith(_FLAT_FOLDERS[top]):
            yield Finding(path, f"{top} has to be flat: the platform does not look into folders below it")
        elif path != package.integration_path:
            yield Finding(path, "it is no part of a package")


def script_and_definition_belong_together(package: Package) -> Iterator[Finding]:
    """Each definition has its script, and the other way round, by file stem."""
    for kind in KINDS:
        definitions = {PurePosixPath(path).stem: path for path in package.under(kind.definitions, kind.suffix)}
        scripts = {PurePosixPath(path).stem: path for path in package.under(kind.scripts, ".py")}
        for stem in sorted(definitions.keys() - scripts.keys()):
            yield Finding(definitions[stem], f"its script {kind.scripts}/{stem}.py is missing")
        for stem in sorted(scripts.keys() - definitions.keys()):
            yield Finding(scripts[stem], f"its definition {kind.definitions}/{stem}{kind.suffix} is missing")
        for stem in sorted(definitions):
            if stem != stem.lower() or not stem.isidentifier():
                yield Finding(definitions[stem], "its file name should be in snake_case (package format, 1.8)")


def needed_files_are_there(package: Package) -> Iterator[Finding]:
    """Release notes, Python's version, and mapping rules as soon as there is a connector."""
    if RELEASE_NOTES not in package.files:
        yield Finding(RELEASE_NOTES, "the release notes are missing")
    if package.files.get(PYTHON_VERSION) != _PYTHON:
        yield Finding(PYTHON_VERSION, f"it should be there and hold {_PYTHON.decode().strip()}")
    if package.definitions(CONNECTOR) and MAPPING_RULES not in package.files:
        yield Finding(MAPPING_RULES, "a connector needs mapping rules")
    for folder in (MANAGERS, KINDS[0].definitions, KINDS[0].scripts):
        if next(package.under(folder), None) is None:
            yield Finding(folder, "a package must have this folder")
