"""Rules on the definition files: the format's models, and what has to agree between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from devkit.packer import format_models as models
from devkit.packer.ai_descriptions import ActionAi, ConnectorAi, IntegrationAi, read_yaml
from devkit.packer.assemble import full_details
from devkit.packer.package import (
    ACTION,
    ACTIONS_AI,
    CONNECTOR,
    CONNECTORS_AI,
    INTEGRATION_AI,
    KINDS,
    MAPPING_RULES,
    RELEASE_NOTES,
    Finding,
    Kind,
    Package,
    objects,
    to_json,
)

VERIFY_SSL = "Verify SSL"
CONNECTOR_BASE = ("DeviceProductField", "EventClassId", "PythonProcessTimeout", VERIFY_SSL)
_SHOWN_CHARACTERS = 60
_DAY_S = 86400

_MODELS: dict[str, TypeAdapter[Any]] = {
    MAPPING_RULES: TypeAdapter(list[models.MappingRule]),
    RELEASE_NOTES: TypeAdapter(list[models.ReleaseNote]),
}
_KIND_MODELS: dict[str, TypeAdapter[Any]] = {
    ACTION.suffix: TypeAdapter(models.Action),
    CONNECTOR.suffix: TypeAdapter(models.Connector),
    ".def": TypeAdapter(models.Integration),
}


def readable(package: Package) -> Iterator[Finding]:
    """Every JSON file is JSON."""
    for path, problem in package.unreadable.items():
        yield Finding(path, problem)


def format_is_kept(package: Package) -> Iterator[Finding]:
    """Every definition has the format's keys, types, enumerations and limits."""
    for path, document in package.documents.items():
        model = _MODELS.get(path) or _KIND_MODELS.get(PurePosixPath(path).suffix)
        if model is None:
            continue
        try:
            model.validate_python(document)
        except ValidationError as error:
            yield from (Finding(path, problem) for problem in _problems(error, document))


def _problems(error: ValidationError, document: object) -> Iterator[str]:
    """Say each error in words: where, which parameter that is, what is wrong, what is there."""
    seen = set()
    for item in error.errors(include_url=False):
        where, value = _locate(item["loc"], document)
        problem = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            problem = "this key is missing"
        elif item["type"] == "extra_forbidden":
            problem = "the format has no such key"
        elif item["type"] != "value_error":
            problem += f" (it is {repr(value)[:_SHOWN_CHARACTERS]})"
        text = f"{where}: {problem}" if where else problem
        if where not in seen or item["type"] in {
            "missing",
            "extra_forbidden",
        }:  # a union complains once for each member
            yield text
        seen.add(where)


def _locate(location: tuple[int | str, ...], document: object) -> tuple[str, object]:
    """Follow a location through the document, and name list items by their name where they have one."""
    words: list[str] = []
    for step in location:
        if isinstance(document, dict) and step in document:
            document = document[step]
            words.append(str(step))
        elif isinstance(document, list) and isinstance(step, int):
            document = document[step]
            name = document.get("Name") or document.get("PropertyName") if isinstance(document, dict) else None
            words.append(f'"{name}"' if name else f"[{step}]")
        elif isinstance(document, dict) and step == location[-1]:
            words.append(str(step))
    return " ".join(words), document


def identifiers_agree(package: Package) -> Iterator[Finding]:
    """Every file says which integration it belongs to, and all say the same."""
    identifier, path = package.identifier, package.integration_path
    said: list[tuple[str, str, Any]] = [(path, "Identifier", package.integration.get("Identifier"))]
    for item in objects(package.integration.get("IntegrationProperties")):
        said.append((path, f'"{item.get("PropertyName")}" IntegrationIdentifier', item.get("IntegrationIdentifier")))
    said += [
        (p, "IntegrationIdentifier", d.get("IntegrationIdentifier")) for p, d in package.definitions(ACTION).items()
    ]
    said += [(p, "Integration", d.get("Integration")) for p, d in package.definitions(CONNECTOR).items()]
    said += [
        (MAPPING_RULES, f"[{number}] Source", rule.get("Source"))
        for number, rule in enumerate(package.rows(MAPPING_RULES))
    ]
    for file, key, value in said:
        if value != identifier:
            yield Finding(file, f"{key} is {value!r}, the package's identifier is {identifier!r}")


def names_are_unique(package: Package) -> Iterator[Finding]:
    """No two actions, and no two connectors, have the same name."""
    for kind in KINDS:
        first: dict[str, str] = {}
        for path, document in package.definitions(kind).items():
            name = str(document.get("Name"))
            other = first.setdefault(name.casefold(), path)
            if other != path:
                yield Finding(path, f"the {kind.name}'s name {name!r} is also that of {other}")


def platform_needs_are_there(package: Package) -> Iterator[Finding]:
    """What the platform or Google's validation looks for: Ping, Verify SSL, the connectors' base parameters."""
    if not any(str(document.get("Name")).lower() == "ping" for document in package.definitions(ACTION).values()):
        yield Finding("ActionsDefinitions", "there is no action Ping")
    own = {item.get("PropertyName") for item in objects(package.integration.get("IntegrationProperties"))}
    if VERIFY_SSL not in own:
        yield Finding(package.integration_path, f"there is no parameter {VERIFY_SSL!r}")
    for path, connector in package.definitions(CONNECTOR).items():
        names = {parameter.get("Name") for parameter in objects(connector.get("Parameters"))}
        for wanted in CONNECTOR_BASE:
            if wanted not in names:
                yield Finding(path, f"there is no parameter {wanted!r}")


def release_notes_fit(package: Package) -> Iterator[Finding]:
    """The newest release note is the package's version's; notes are sorted and dated by the day."""
    versions: list[Any] = [note.get("IntroducedInIntegrationVersion") for note in package.rows(RELEASE_NOTES)]
    if RELEASE_NOTES not in package.documents or not all(isinstance(version, (int, float)) for version in versions):
        return  # other rules say so
    numbers = [float(version) for version in versions]
    if numbers != sorted(numbers):
        yield Finding(RELEASE_NOTES, "the notes are not sorted by version; the last one counts as the newest")
    version, newest = package.integration.get("Version"), max(numbers, default=None)
    if newest != version:
        yield Finding(
            RELEASE_NOTES,
            f"the newest note is of version {newest}, {package.integration_path} says {version}",
        )
    for note in package.rows(RELEASE_NOTES):
        moment = note.get("PublishTime")
        if isinstance(moment, int) and moment % _DAY_S:
            yield Finding(RELEASE_NOTES, f"PublishTime {moment} is not at 00:00 UTC")


def details_agree(package: Package) -> Iterator[Finding]:
    """The generated summary says what the definitions say."""
    path = f"{package.identifier}.fulldetails"
    summary = package.documents.get(path)
    if not isinstance(summary, dict):
        yield Finding(path, "the summary is missing or no JSON object")
        return
    wanted = full_details(package)
    for key in sorted(wanted.keys() | summary.keys()):
        if to_json(wanted.get(key)) != to_json(summary.get(key)):
            yield Finding(path, f"{key} does not agree with the definitions")


def ai_descriptions_are_complete(package: Package) -> Iterator[Finding]:
    """Each AI file that is there is whole: one bad or missing entry, and nothing of the integration loads."""
    yield from _entries(package, ACTIONS_AI, ActionAi.model_validate, ACTION)
    yield from _entries(package, CONNECTORS_AI, ConnectorAi.model_validate, CONNECTOR)
    if INTEGRATION_AI in package.files:
        try:
            IntegrationAi.model_validate(read_yaml(package.files[INTEGRATION_AI]))
        except ValidationError as error:
            yield from (Finding(INTEGRATION_AI, problem) for problem in _problems(error, {}))
        except ValueError as error:
            yield Finding(INTEGRATION_AI, str(error))


def _entries(package: Package, path: str, validate: Callable[[Any], object], kind: Kind) -> Iterator[Finding]:
    if path not in package.files:
        return
    try:
        entries = read_yaml(package.files[path])
    except ValueError as error:
        yield Finding(path, str(error))
        return
    definitions = {str(document.get("Name")): document for document in package.definitions(kind).values()}
    names = definitions.keys()
    for name in sorted(names - entries.keys()):
        yield Finding(path, f"there is no entry for {name!r}")
    for name in sorted(entries.keys() - names):
        yield Finding(path, f"the entry {name!r} is of nothing in this package")
    for name in sorted(names & entries.keys()):
        try:
            validate(entries[name])
        except ValidationError as error:
            yield from (Finding(path, f'"{name}" {problem}') for problem in _problems(error, entries[name]))
            continue
        for parameter in objects(definitions[name].get("Parameters")):
            if f"| {parameter.get('Name')} |" not in str(entries[name]):
                yield Finding(path, f'"{name}" does not describe the parameter "{parameter.get("Name")}"')
