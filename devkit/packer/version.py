"""Raises the version: in the integration's definition, the release notes and the project file, or in none of them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

from devkit.packer.assemble import collect
from devkit.packer.format_models import MAX_DESCRIPTION
from devkit.packer.package import RELEASE_NOTES, Package, PackError, to_json
from devkit.packer.rules_source import PROJECT

_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,2}")
_PROJECT_LINE = re.compile(r'^version = "[^"\n]*"$', re.MULTILINE)


def raise_version(root: Path, version: str, note: str, today: date) -> list[str]:
    """Raise the version.

    Args:
        root: The repository.
        version: The new one, such as 10.0.
        note: What has changed, for the release notes.
        today: The day of the release.

    Returns:
        The files that were changed.

    Raises:
        PackError: The version is none or not newer, the note is empty or too long, or a file is not as it should be.
    """
    package = Package(collect(root))
    integration, path = package.integration, package.integration_path
    old = integration.get("Version")
    if not path or not isinstance(old, (int, float)):
        raise PackError(f"{path or 'Integration-<Identifier>.def'}: it has no readable Version")
    if not _VERSION.fullmatch(version) or float(version) <= old:
        raise PackError(f"{version}: a new version is two numbers with a point and above {old}")
    if not note.strip() or len(note) > MAX_DESCRIPTION:
        raise PackError(f"--note: the release note needs 1 to {MAX_DESCRIPTION} characters")
    if not isinstance(package.documents.get(RELEASE_NOTES), list):
        raise PackError(f"{RELEASE_NOTES}: it should be a list")
    project = (root / PROJECT).read_text(encoding="utf-8")
    project, changed = _PROJECT_LINE.subn(f'version = "{version}"', project)
    if changed != 1:
        raise PackError(f'{PROJECT}: it should have the line version = "…" once, it has it {changed} times')
    entry = {
        "ChangeDescription": note.strip(),
        "Deprecated": False,
        "IntroducedInIntegrationVersion": float(version),
        "ItemName": integration.get("DisplayName"),
        "ItemType": "Integration",
        "New": False,
        "PublishTime": int(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp()),
        "Regressive": False,
        "Removed": False,
        "TicketNumber": "",
    }
    changes = {
        path: to_json(integration | {"Version": float(version)}),
        RELEASE_NOTES: to_json([*package.rows(RELEASE_NOTES), entry]),
        PROJECT: project.encode(),
    }
    for name, content in changes.items():
        (root / name).write_bytes(content)
    return sorted(changes)
