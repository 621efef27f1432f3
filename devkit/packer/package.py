"""A package in memory: its files by their path in the ZIP, and the JSON documents among them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

Files = Mapping[str, bytes]
"""Path in the ZIP, with forward slashes, to content."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What comes as a definition and a script of the same file stem."""

    name: str
    definitions: str
    suffix: str
    scripts: str

    def script_of(self, definition: str) -> str:
        """Return the path of a definition's script."""
        return f"{self.scripts}/{PurePosixPath(definition).stem}.py"


ACTION = Kind("action", "ActionsDefinitions", ".actiondef", "ActionsScripts")
CONNECTOR = Kind("connector", "Connectors", ".connectordef", "ConnectorsScripts")
KINDS = (ACTION, CONNECTOR)

MANAGERS = "Managers"
DEPENDENCIES = "Dependencies"
PYTHON = (3, 11)
"""What the platform runs scripts with."""

MAPPING_RULES = "DefaultMappingRules/integration_mapping_rules.json"
RELEASE_NOTES = "RN.json"
PYTHON_VERSION = ".python-version"
AI_FOLDER = "resources/ai"
ACTIONS_AI = f"{AI_FOLDER}/actions_ai_description.yaml"
CONNECTORS_AI = f"{AI_FOLDER}/connectors_ai_description.yaml"
INTEGRATION_AI = f"{AI_FOLDER}/integration_ai_description.yaml"

_JSON_SUFFIXES = frozenset({".def", ".json", ".fulldetails"} | {kind.suffix for kind in KINDS})


class PackError(Exception):
    """Why a package can't be built or read; the text is one line for people."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with a package."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.problem.split())}"


class Package:
    """Files with the JSON in them read.

    Args:
        files: Path to content.

    Attributes:
        files: As given.
        documents: What the readable JSON files hold, by path.
        unreadable: Why the other JSON files can't be read, by path.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.documents: dict[str, Any] = {}
        self.unreadable: dict[str, str] = {}
        for path, content in files.items():
            if PurePosixPath(path).suffix in _JSON_SUFFIXES:
                try:
                    self.documents[path] = json.loads(content.decode("utf-8"))
                except ValueError as error:
                    self.unreadable[path] = f"it is no JSON: {error}"

    @property
    def integration_path(self) -> str:
        """Path of the integration's definition at the root; empty unless there is exactly one."""
        found = [path for path in self.files if "/" not in path and _is_integration(path)]
        return found[0] if len(found) == 1 else ""

    @property
    def integration(self) -> Document:
        """The integration's definition; empty if it can't be read."""
        document = self.documents.get(self.integration_path)
        return document if isinstance(document, dict) else {}

    @property
    def identifier(self) -> str:
        """The identifier that the definition's file name says; empty without a definition."""
        return self.integration_path.removeprefix("Integration-").removesuffix(".def")

    def definitions(self, kind: Kind) -> dict[str, Document]:
        """Return the readable definitions of a kind, by path, in the order of their paths."""
        return {
            path: self.documents[path]
            for path in sorted(self.documents)
            if path.startswith(f"{kind.definitions}/")
            and path.endswith(kind.suffix)
            and isinstance(self.documents[path], dict)
        }

    def rows(self, path: str) -> list[Document]:
        """Return the objects in a document that is a list; nothing if it can't be read."""
        return objects(self.documents.get(path))

    def under(self, folder: str, suffix: str = "") -> Iterator[str]:
        """Give the paths below a folder, sorted."""
        return (path for path in sorted(self.files) if path.startswith(f"{folder}/") and path.endswith(suffix))


def objects(value: object) -> list[Document]:
    """Return the objects in a list; nothing if it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_integration(path: str) -> bool:
    return path.startswith("Integration-") and path.endswith(".def")


def to_json(document: object) -> bytes:
    """Write JSON as Google's ``mp`` does: 4 spaces, sorted keys, ASCII only, no final newline."""
    return json.dumps(document, indent=4, sort_keys=True).encode("ascii")
