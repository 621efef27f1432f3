"""Makes the package of the repository's tree: its files and no others, definitions normalised, summaries generated."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from devkit.packer.ai_descriptions import add_ai_fields
from devkit.packer.package import (
    ACTION,
    AI_FOLDER,
    CONNECTOR,
    KINDS,
    MANAGERS,
    MAPPING_RULES,
    PYTHON_VERSION,
    RELEASE_NOTES,
    Document,
    Package,
    PackError,
    to_json,
)
from devkit.packer.rename import rename

_FOLDERS = {kind.definitions: kind.suffix for kind in KINDS} | dict.fromkeys(
    [*(kind.scripts for kind in KINDS), MANAGERS], ".py"
)
_FOLDERS |= {"DefaultMappingRules": ".json", AI_FOLDER: ".yaml"}
_ROOT_FILES = ("Integration-*.def", RELEASE_NOTES, PYTHON_VERSION)
_MS_PER_S = 1000

_NOT_NEEDED_YET = ("Widgets", "WidgetsScripts", "Jobs", "JobsScrips", "DefaultCustomFamilies")
"""Folders of the format that this package does not have; the packer must learn them before it may have them."""


def assemble(root: Path, *, identifier: str = "", certified: bool = False) -> dict[str, bytes]:
    """Make the package's files, all but the wheels.

    The result depends on the tree's contents alone: not on times, modes, the order of a folder or line ends.

    Args:
        root: The repository.
        identifier: Another identifier than the tree's, so that the package can stand beside the official one.
        certified: Leave ``IsCustom`` false, as Google's own repository wants it; for an import it has to be true.

    Returns:
        Path in the ZIP to content.

    Raises:
        PackError: There is no single integration definition, or the package can't be renamed.
    """
    files = collect(root)
    package = Package(files)
    if not package.integration:
        reason = package.unreadable.get(package.integration_path, "there is no single Integration-<Identifier>.def")
        raise PackError(f"{package.integration_path or root}: {reason}")
    integration = package.integration
    integration["IsCustom"] = not certified
    add_ai_fields(package)
    if identifier and identifier != integration.get("Identifier"):
        rename(files, package, identifier)
    files |= {name: to_json(document) for name, document in package.documents.items()}
    renamed = Package(files)
    files[f"{renamed.identifier}.fulldetails"] = to_json(full_details(renamed))
    return files


def collect(root: Path) -> dict[str, bytes]:
    """Read the package's own files from the tree; whatever else lies there stays out.

    Raises:
        PackError: A file can't be read, or the tree has a part of a package that the packer does not know.
    """
    for name in _NOT_NEEDED_YET:
        if (root / name).exists():
            raise PackError(f"{name}: the packer does not know this folder yet, so it would be left out")
    found = [path for pattern in _ROOT_FILES for path in root.glob(pattern)]
    for folder, suffix in _FOLDERS.items():
        found += (root / folder).rglob(f"*{suffix}")
    try:
        return {
            path.relative_to(root).as_posix(): path.read_bytes().replace(b"\r\n", b"\n")
            for path in sorted(found)
            if path.is_file()
        }
    except OSError as error:
        raise PackError(f"{error.filename}: it can't be read: {error.strerror}") from None


def full_details(package: Package) -> Document:
    """Return the summary of a package that ``<Identifier>.fulldetails`` holds (package format, 3.8)."""
    integration = package.integration
    return {
        "Actions": [document.get("Name") for document in package.definitions(ACTION).values()],
        "Connectors": [document.get("Name") for document in package.definitions(CONNECTOR).values()],
        "CustomFamilies": [],
        "Description": integration.get("Description"),
        "DisplayName": integration.get("DisplayName"),
        "DocumentationLink": integration.get("DocumentationLink"),
        "ExampleUseCases": [],
        "Identifier": integration.get("Identifier"),
        "IntegrationProperties": integration.get("IntegrationProperties"),
        "IsCustom": False,  # here it is false even in a package for import
        "Jobs": [],
        "Managers": [Path(path).stem for path in package.under(MANAGERS, ".py")],
        "MappingRules": ["Default mapping rules"] if package.rows(MAPPING_RULES) else [],
        "MinimumSystemVersion": integration.get("MinimumSystemVersion"),
        "PackageName": integration.get("DisplayName"),
        "ReleaseNotes": _releases(package.rows(RELEASE_NOTES)),
        "Version": integration.get("Version"),
        "Widgets": [],
    }


def _releases(notes: list[Document]) -> list[dict[str, Any]]:
    """Group release notes by version; their times become milliseconds."""
    return [
        {
            "Items": [note.get("ChangeDescription") for note in group],
            "PublishTimeUnixTime": max(_seconds(note) for note in group) * _MS_PER_S,
            "Version": version,
        }
        for version, group in (
            (version, list(rows))
            for version, rows in itertools.groupby(notes, lambda note: note.get("IntroducedInIntegrationVersion"))
        )
    ]


def _seconds(note: Document) -> int:
    moment = note.get("PublishTime")
    return moment if isinstance(moment, int) else 0
