"""Gives a package another identifier, everywhere, so that it can be installed beside the official integration."""

from __future__ import annotations

import re

from devkit.packer.package import (
    ACTION,
    AI_FOLDER,
    CONNECTOR,
    MANAGERS,
    MAPPING_RULES,
    RELEASE_NOTES,
    Package,
    PackError,
    objects,
)

CONSTANTS = f"{MANAGERS}/MimecastConstants.py"
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,150}")
_IDENTIFIER_LINE = re.compile(rb'^INTEGRATION_IDENTIFIER = "[^"\n]*"$', re.MULTILINE)


def rename(files: dict[str, bytes], package: Package, identifier: str) -> None:
    """Rename a package: files and documents are changed in place.

    The product stays "Mimecast" in events, messages and the mapping rules' Product: only what the platform tells
    integrations apart by changes.

    Args:
        files: The package's files.
        package: The same files, read.
        identifier: The new identifier. The display name is the same with blanks for underscores, as no other sign
            is allowed in it.

    Raises:
        PackError: The identifier has signs that the platform does not take, or the scripts don't say what they are.
    """
    if not IDENTIFIER.fullmatch(identifier):
        raise PackError(f"--identifier {identifier!r}: only letters, digits, - and _ are allowed, at most 150 of them")
    integration, old_path = package.integration, package.integration_path
    old_display, display = str(integration.get("DisplayName")), identifier.replace("_", " ").strip()
    integration |= {"Identifier": identifier, "DisplayName": display, "MarketingDisplayName": display}
    for parameter in objects(integration.get("IntegrationProperties")):
        parameter["IntegrationIdentifier"] = identifier
    for action in package.definitions(ACTION).values():
        action["IntegrationIdentifier"] = identifier
    names = _rename_connectors(package, identifier, f"{old_display} - ", f"{display} - ")
    for rule in package.rows(MAPPING_RULES):
        rule["Source"] = identifier
    for note in package.rows(RELEASE_NOTES):
        name = str(note.get("ItemName"))
        note["ItemName"] = display if name == old_display else names.get(name, name)
    _rename_in_texts(files, identifier, names)
    package.documents[f"Integration-{identifier}.def"] = package.documents.pop(old_path)
    del files[old_path]


def _rename_connectors(package: Package, identifier: str, old_prefix: str, prefix: str) -> dict[str, str]:
    names = {}
    for path, connector in package.definitions(CONNECTOR).items():
        old = str(connector.get("Name"))
        if not old.startswith(old_prefix):
            raise PackError(f"{path}: its Name should start with {old_prefix!r}, else it can't be renamed")
        names[old] = prefix + old.removeprefix(old_prefix)
        connector |= {"Integration": identifier, "Name": names[old]}
    return names


def _rename_in_texts(files: dict[str, bytes], identifier: str, connector_names: dict[str, str]) -> None:
    """Rename what scripts and AI descriptions say: the provider's name and the connectors' names."""
    constants, changed = _IDENTIFIER_LINE.subn(
        f'INTEGRATION_IDENTIFIER = "{identifier}"'.encode(), files.get(CONSTANTS, b"")
    )
    if changed != 1:
        raise PackError(
            f'{CONSTANTS}: it should have the line INTEGRATION_IDENTIFIER = "…" once, it has it {changed} times'
        )
    files[CONSTANTS] = constants
    for path in files:
        if path == CONSTANTS or path.startswith(f"{AI_FOLDER}/"):
            for old, new in connector_names.items():
                files[path] = files[path].replace(old.encode(), new.encode())
