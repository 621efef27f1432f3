"""Reads the package's definitions: what scripts there are, which parameters they take, and their defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ACTION_TYPES = {
    0: "string",
    1: "boolean",
    2: "playbook name",
    3: "user",
    10: "email content",
    11: "content",
    12: "password",
    13: "entity type",
    14: "multi values",
    15: "list",
    16: "code",
    17: "time span",
    21: "multi choice",
}
_OTHER_TYPES = {
    0: "boolean",
    1: "integer",
    2: "string",
    3: "password",
    4: "ip",
    5: "ip or host",
    6: "url",
    7: "domain",
    8: "email",
}
"""Integration and connector parameters are numbered differently from action parameters."""


class DefinitionError(Exception):
    """A definition, a script or a parameter that is not there or cannot be read."""


@dataclass(frozen=True)
class Parameter:
    """One parameter as the platform's form shows it."""

    name: str
    type_number: int
    type_name: str
    default: str
    mandatory: bool
    description: str
    options: tuple[str, ...] = ()
    mode: int = 0

    @property
    def secret(self) -> bool:
        """Whether the platform hides the value."""
        return self.type_name == "password"


@dataclass(frozen=True)
class Definition:
    """The integration, an action or a connector.

    Attributes:
        name: Display name.
        stem: What the files of definition and script have in common; the identifier for the integration.
        script: The script, or None for the integration.
        parameters: In the form's order.
    """

    name: str
    stem: str
    description: str
    script: Path | None
    parameters: tuple[Parameter, ...]

    def fill(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return all parameters as texts, the way the platform's form would: given values, else defaults, else "".

        Raises:
            DefinitionError: A name the definition does not have.
        """
        known = {parameter.name: parameter.default for parameter in self.parameters}
        unknown = [name for name in given if name not in known]
        if unknown:
            raise DefinitionError(
                f"{self.name} has no parameter {_quoted(unknown)}; it has {_quoted(known) or 'none at all'}"
            )
        return known | dict(given)

    def connector_params(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return all parameters as a connector gets them on standard input."""
        values = self.fill(given)
        return [
            {
                "param_name": parameter.name,
                "param_value": values[parameter.name],
                "type": parameter.type_number,
                "mode": parameter.mode,
                "is_mandatory": parameter.mandatory,
            }
            for parameter in self.parameters
        ]


@dataclass(frozen=True)
class Package:
    """All definitions of a package; scripts are keyed by stem."""

    root: Path
    integration: Definition
    actions: dict[str, Definition]
    connectors: dict[str, Definition]


def load_package(root: Path) -> Package:
    """Read every definition below a package's root.

    Raises:
        DefinitionError: Something is missing or not readable.
    """
    integrations = sorted(root.glob("Integration-*.def"))
    if len(integrations) != 1:
        raise DefinitionError(f"{root} should have one Integration-<name>.def, it has {len(integrations)}")
    return Package(
        root=root,
        integration=_integration(integrations[0]),
        actions={
            path.stem: _scripted(path, root / "ActionsScripts", _ACTION_TYPES)
            for path in sorted((root / "ActionsDefinitions").glob("*.actiondef"))
        },
        connectors={
            path.stem: _scripted(path, root / "ConnectorsScripts", _OTHER_TYPES)
            for path in sorted((root / "Connectors").glob("*.connectordef"))
        },
    )


def _integration(path: Path) -> Definition:
    data = _read(path)
    try:
        parameters = tuple(
            Parameter(
                name=item["PropertyName"],
                type_number=int(item["PropertyType"]),
                type_name=_OTHER_TYPES.get(int(item["PropertyType"]), "other"),
                default=as_text(item["Value"]),
                mandatory=bool(item.get("IsMandatory", False)),
                description=item.get("PropertyDescription") or "",
            )
            for item in data["IntegrationProperties"]
        )
        return Definition(data["DisplayName"], data["Identifier"], data.get("Description") or "", None, parameters)
    except KeyError as error:
        raise DefinitionError(f"{path.name} lacks the key {error}") from error


def _scripted(path: Path, scripts: Path, types: dict[int, str]) -> Definition:
    data = _read(path)
    script = scripts / f"{path.stem}.py"
    if not script.is_file():
        raise DefinitionError(f"{path.name} has no script {scripts.name}/{script.name}")
    try:
        parameters = tuple(_parameter(item, types) for item in data.get("Parameters") or [])
        return Definition(data["Name"], path.stem, data.get("Description") or "", script, parameters)
    except KeyError as error:
        raise DefinitionError(f"{path.name} lacks the key {error}") from error


def _parameter(item: dict[str, Any], types: dict[int, str]) -> Parameter:
    value = item.get("Value")  # actions have the default twice, connectors once
    return Parameter(
        name=item["Name"],
        type_number=int(item["Type"]),
        type_name=types.get(int(item["Type"]), "other"),
        default=as_text(item["DefaultValue"] if value in {None, ""} else value),
        mandatory=bool(item["IsMandatory"]),
        description=item.get("Description") or "",
        options=tuple(item.get("OptionalValues") or ()),
        mode=int(item.get("Mode", 0)),
    )


def as_text(value: object) -> str:
    """Return a parameter's value as the platform sends it: always a text, booleans in lower case."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DefinitionError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise DefinitionError(f"{path.name} is no JSON object")
    return data


def _quoted(names: list[str] | dict[str, str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
