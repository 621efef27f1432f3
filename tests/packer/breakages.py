"""Deliberate breakages of the repository: how, and what the verifier has to say of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from devkit.packer.ai_descriptions import OUTCOMES
from tests.packer.workshop import append, edit, parameter

DEF = "Integration-Mimecast.def"
PING = "ActionsDefinitions/ping.actiondef"
PING_SCRIPT = "ActionsScripts/ping.py"
CONNECTOR = "Connectors/message_tracking_connector.connectordef"
RULES = "DefaultMappingRules/integration_mapping_rules.json"
RESULT = {"ResultName": "JsonResult", "ShowResult": True, "ResultExample": '{"a": 1}'}

FILTERS = [
    f"filters_by_{what}"
    for what in (
        *("identifier", "creation_time", "modification_time", "additional_properties", "case_identifier"),
        *("alert_identifier", "entity_type", "is_internal", "is_suspicious", "is_artifact", "is_vulnerable"),
        *("is_enriched", "is_pivot"),
    )
]
CAPABILITIES = (
    *("fetches_data", "can_mutate_external_data", "can_mutate_internal_data", "can_update_entities"),
    *("can_create_insight", "can_modify_alert_data", "can_create_case_comments"),
)
ACTIONS_AI = "resources/ai/actions_ai_description.yaml"

Break = Callable[[Path], object]


def in_file(name: str, change: Callable[[Any], object]) -> Break:
    return lambda root: edit(root / name, change)


def with_keys(name: str, **keys: Any) -> Break:
    return in_file(name, lambda document: document.update(keys))


def without_key(name: str, key: str) -> Break:
    return in_file(name, lambda document: document.pop(key))


def with_parameter(**changes: Any) -> Break:
    return in_file(PING, lambda action: action["Parameters"].append(parameter(**changes)))


def in_first(name: str, key: str, **changes: Any) -> Break:
    return in_file(name, lambda document: document[key][0].update(changes))


def in_rule(field: str, **changes: Any) -> Break:
    def change(rules: list[dict[str, Any]]) -> None:
        next(rule for rule in rules if rule["SecurityEventFieldName"] == field).update(changes)

    return in_file(RULES, change)


def without_parameter(name: str, key: str, parameter_key: str, parameter_name: str) -> Break:
    def change(document: dict[str, Any]) -> None:
        document[key] = [item for item in document[key] if item[parameter_key] != parameter_name]

    return in_file(name, change)


def both(*breaks: Break) -> Break:
    def breakage(root: Path) -> None:
        for one in breaks:
            one(root)

    return breakage


def written(name: str, text: str) -> Break:
    return lambda root: (root / name).write_text(text, encoding="utf-8")


def appended(name: str, text: str) -> Break:
    return lambda root: append(root / name, text)


def removed(name: str) -> Break:
    return lambda root: (root / name).unlink()


def copied(name: str, to: str) -> Break:
    return lambda root: (root / to).write_bytes((root / name).read_bytes())


def example(text: str) -> Break:
    def breakage(root: Path) -> None:
        edit(root / PING, lambda action: action.update(DynamicResultsMetadata=[RESULT]))
        (root / "resources" / "ping_JsonResult_example.json").write_text(text, encoding="utf-8")

    return breakage


def folder(name: str) -> Break:
    def breakage(root: Path) -> None:
        (root / name).parent.mkdir()
        (root / name).write_text("x = 1\n", encoding="utf-8")

    return breakage


def second_ping(root: Path) -> None:
    """Another action with Ping's name; only the stem differs."""
    copied(PING, "ActionsDefinitions/pong.actiondef")(root)
    copied(PING_SCRIPT, "ActionsScripts/pong.py")(root)
    edit(root / "ActionsDefinitions/pong.actiondef", lambda action: action.update(Name="ping"))


def ai_of_actions(change: Callable[[dict[str, Any]], object]) -> Break:
    """Write complete AI descriptions of all actions, then change them."""

    def breakage(root: Path) -> None:
        definitions = [json.loads(path.read_bytes()) for path in (root / "ActionsDefinitions").glob("*.actiondef")]
        table = " ".join(f"| {item['Name']} |" for definition in definitions for item in definition["Parameters"])
        entry = {
            "ai_description": "x",
            "ai_short_description": "x",
            "parameters_description": table,
            "entity_usage": {"entity_types": {}} | dict.fromkeys(FILTERS, False),
            "outcome_categories": dict.fromkeys(OUTCOMES, False),
            "capabilities": dict.fromkeys(CAPABILITIES, False)
            | {"external_data_mutation_explanation": None, "internal_data_mutation_explanation": None},
        }
        entries = json.loads(json.dumps({definition["Name"]: entry for definition in definitions}))
        change(entries)
        path = root / ACTIONS_AI
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(entries), encoding="utf-8")

    return breakage


BREAKAGES: dict[str, tuple[Break, str]] = {
    "a definition without its script": (removed(PING_SCRIPT), f"{PING}: its script ActionsScripts/ping.py is missing"),
    "a script without its definition": (
        written("ActionsScripts/lonely.py", "x = 1\n"),
        "ActionsScripts/lonely.py: its definition ActionsDefinitions/lonely.actiondef is missing",
    ),
    "a connector's script without its definition": (
        written("ConnectorsScripts/lonely.py", "x = 1\n"),
        "ConnectorsScripts/lonely.py: its definition Connectors/lonely.connectordef is missing",
    ),
    "a duplicate action name": (
        second_ping,
        "ActionsDefinitions/pong.actiondef: the action's name 'ping' is also that of ActionsDefinitions/ping.actiondef",
    ),
    "a duplicate parameter": (
        in_file(PING, lambda action: action["Parameters"].extend([parameter(), parameter()])),
        f"{PING}: Parameters: there twice: 'Mode'",
    ),
    "a duplicate integration parameter": (
        in_file(DEF, lambda d: d["IntegrationProperties"].append(d["IntegrationProperties"][0])),
        f"{DEF}: IntegrationProperties: there twice: 'API Root'",
    ),
    "no JSON at all": (written("RN.json", "{"), "RN.json: it is no JSON: "),
    "an object instead of a list": (written(RULES, "{}"), f"{RULES}: Input should be a valid list"),
    "a missing key": (without_key(PING, "Creator"), f"{PING}: Creator: this key is missing"),
    "a key that the format does not have": (
        with_keys(PING, Creater="x"),
        f"{PING}: Creater: the format has no such key",
    ),
    "a wrong type number of an action parameter": (
        with_parameter(Type=8),
        f'{PING}: Parameters "Mode" Type: 8 is no type of an action parameter; there are -1, 0, 1, ',
    ),
    "a type number that is a truth value": (
        with_parameter(Type=True),
        f'{PING}: Parameters "Mode" Type: Input should be',
    ),
    "a wrong type number of a connector parameter": (
        in_first(CONNECTOR, "Parameters", Type=15),
        f'{CONNECTOR}: Parameters "DeviceProductField" Type: 15 is no type of an integration or connector parameter',
    ),
    "a wrong type number of an integration parameter": (
        in_first(DEF, "IntegrationProperties", PropertyType=99),
        f'{DEF}: IntegrationProperties "API Root" PropertyType: 99 is no type of an integration or connector parameter',
    ),
    "a wrong mode of a connector parameter": (
        in_first(CONNECTOR, "Parameters", Mode=1),
        f'{CONNECTOR}: Parameters "DeviceProductField" Mode: 1 is no mode',
    ),
    "a truth value as a text": (
        with_keys(PING, IsEnabled="true"),
        f"{PING}: IsEnabled: Input should be a valid boolean",
    ),
    "a list default that is not among the options": (
        with_parameter(DefaultValue="Three", Value="Three"),
        f"{PING}: Parameters \"Mode\": the default 'Three' is not among OptionalValues ['One', 'Two']",
    ),
    "a list without options": (
        with_parameter(OptionalValues=None),
        f'{PING}: Parameters "Mode": type 15 needs OptionalValues',
    ),
    "options of a parameter that is no list": (
        with_parameter(Type=0),
        f'{PING}: Parameters "Mode": OptionalValues has to be null for type 0',
    ),
    "two defaults": (with_parameter(Value="Two"), f"{PING}: Parameters \"Mode\": Value and DefaultValue differ: 'Two'"),
    "a sign that a name can't have": (
        with_keys(CONNECTOR, Name="Mimecast (mail)"),
        f"{CONNECTOR}: Name: String should match pattern",
    ),
    "a parameter's name of too many words": (
        with_parameter(Name="w " * 13 + "w"),
        "at most 13 words",
    ),
    "a description that is too long": (
        with_keys(PING, Description="x" * 2051),
        f"{PING}: Description: String should have",
    ),
    "too many parameters": (
        in_file(PING, lambda a: a.update(Parameters=[parameter(Name=f"P {i}") for i in range(51)])),
        f"{PING}: Parameters: List should have at most 50 items",
    ),
    "a version below one": (
        with_keys(PING, Version=0.5),
        f"{PING}: Version: Input should be greater than or equal to 1",
    ),
    "another version of Python": (with_keys(DEF, PythonVersion=2), f"{DEF}: PythonVersion: 2 is no version of Python"),
    "an action of another integration": (
        with_keys(PING, IntegrationIdentifier="Other"),
        f"{PING}: IntegrationIdentifier is 'Other', the package's identifier is 'Mimecast'",
    ),
    "a connector of another integration": (
        with_keys(CONNECTOR, Integration="Other"),
        f"{CONNECTOR}: Integration is 'Other'",
    ),
    "a parameter of another integration": (
        in_first(DEF, "IntegrationProperties", IntegrationIdentifier="Other"),
        f"{DEF}: \"API Root\" IntegrationIdentifier is 'Other'",
    ),
    "a mapping rule of another integration": (in_rule("StartTime", Source="Other"), "Source is 'Other'"),
    "no Ping": (with_keys(PING, Name="Pong"), "ActionsDefinitions: there is no action Ping"),
    "no Verify SSL": (
        without_parameter(DEF, "IntegrationProperties", "PropertyName", "Verify SSL"),
        f"{DEF}: there is no parameter 'Verify SSL'",
    ),
    "a connector without its base parameters": (
        without_parameter(CONNECTOR, "Parameters", "Name", "EventClassId"),
        f"{CONNECTOR}: there is no parameter 'EventClassId'",
    ),
    "a connector without documentation": (
        with_keys(CONNECTOR, DocumentationLink=None),
        f"{CONNECTOR}: DocumentationLink: Input should be a valid string",
    ),
    "a connector without mapping rules": (removed(RULES), f"{RULES}: a connector needs mapping rules"),
    "a wrong transformation": (
        in_rule("StartTime", TransformationFunction=6),
        "TransformationFunction: 6 is no transf",
    ),
    "a term that no event has": (
        in_rule("SourceUserName", RawDataPrimaryFieldMatchTerm="sendr"),
        "SourceUserName: RawDataPrimaryFieldMatchTerm 'sendr' is no field of 'Message' events",
    ),
    "a term that not all events have": (
        in_rule("StartTime", RawDataSecondaryFieldMatchTerm="sender"),
        "StartTime: RawDataSecondaryFieldMatchTerm 'sender' is no field of all events",
    ),
    "a rule for events that are not made": (
        in_rule("SourceUserName", EventName="Mail"),
        "SourceUserName: the connector makes no event 'Mail'",
    ),
    "no mapped start": (
        in_rule("StartTime", SecurityEventFieldName="Name"),
        f"{RULES}: StartTime is not mapped; without it alerts are not grouped",
    ),
    "a manager named like a standard module": (
        written("Managers/statistics.py", "x = 1\n"),
        "Managers/statistics.py: a module of the standard library has this name",
    ),
    "a manager named like a module of the SDK": (
        written("Managers/SiemplifyVault.py", "x = 1\n"),
        "Managers/SiemplifyVault.py: a module of the platform's SDK has this name",
    ),
    "a manager named like a vendored package": (
        written("Managers/tenacity.py", "x = 1\n"),
        "Managers/tenacity.py: a package among the wheels has this name",
    ),
    "a manager named like a script": (
        written("Managers/ping.py", "x = 1\n"),
        "Managers/ping.py: the script ActionsScripts/ping.py has this name too",
    ),
    "a manager that can't be imported": (
        written("Managers/two-words.py", "x = 1\n"),
        "Managers/two-words.py: it can't be imported: its name is no identifier",
    ),
    "a folder among the managers": (
        folder("Managers/more/MimecastMore.py"),
        "Managers/more/MimecastMore.py: Managers has to be flat",
    ),
    "an import that nothing provides": (
        appended(PING_SCRIPT, "import no_such_module\n"),
        "nothing provides 'no_such_module': no manager, no SDK module, no wheel",
    ),
    "a relative import": (
        appended(PING_SCRIPT, "from .core import x\n"),
        "a relative import; scripts import managers by",
    ),
    "an import of the source layout": (
        appended(PING_SCRIPT, "from soar_sdk.SiemplifyAction import SiemplifyAction\n"),
        "'soar_sdk.SiemplifyAction': a package imports the SDK's modules by their bare names",
    ),
    "a script that does not compile": (appended(PING_SCRIPT, "def f(:\n"), f"{PING_SCRIPT}: it does not compile: "),
    "a file name that is not in snake case": (
        both(
            copied(PING, "ActionsDefinitions/PingPong.actiondef"),
            copied(PING_SCRIPT, "ActionsScripts/PingPong.py"),
            removed(PING),
            removed(PING_SCRIPT),
        ),
        "ActionsDefinitions/PingPong.actiondef: its file name should be in snake_case",
    ),
    "simulation data that are no JSON": (
        with_keys(PING, SimulationDataJson="{"),
        f"{PING}: SimulationDataJson is no JSON: ",
    ),
    "an example that is not what its file holds": (
        example('{"a": 2}'),
        f"{PING}: its ResultExample is not what resources/ping_JsonResult_example.json holds",
    ),
    "an example file that is no JSON": (example("{"), "resources/ping_JsonResult_example.json: it is no JSON"),
    "an example without its file": (
        with_keys(PING, DynamicResultsMetadata=[RESULT]),
        "resources/ping_JsonResult_example.json: it is missing; the action has a JSON result",
    ),
    "a JSON result without an example": (
        appended(PING_SCRIPT, "\nRESULT = ActionResult('', json=[])\n"),
        "resources/ping_JsonResult_example.json: it is missing; the action has a JSON result",
    ),
    "an example of no action": (
        written("resources/pong_JsonResult_example.json", "{}"),
        "resources/pong_JsonResult_example.json: there is no such action",
    ),
    "a release note that is behind": (
        in_file("RN.json", lambda notes: notes[-1].update(IntroducedInIntegrationVersion=8.0)),
        f"RN.json: the newest note is of version 8.0, {DEF} says 9.0",
    ),
    "release notes out of order": (
        in_file("RN.json", lambda notes: notes.append(notes[0] | {"IntroducedInIntegrationVersion": 8.0})),
        "RN.json: the notes are not sorted by version",
    ),
    "a release note in milliseconds": (
        in_file("RN.json", lambda notes: notes[0].update(PublishTime=notes[0]["PublishTime"] * 1000)),
        "RN.json: [0] PublishTime: it looks like milliseconds",
    ),
    "a release note in the middle of a day": (
        in_file("RN.json", lambda notes: notes[0].update(PublishTime=notes[0]["PublishTime"] + 60)),
        "is not at 00:00 UTC",
    ),
    "no release notes": (removed("RN.json"), "RN.json: the release notes are missing"),
    "another version in the project file": (
        lambda root: (root / "pyproject.toml").write_text('[project]\nversion = "1.0"\n', encoding="utf-8"),
        "pyproject.toml: version 1.0 is not the definition's 9.0",
    ),
    "no version of Python": (removed(".python-version"), ".python-version: it should be there and hold 3.11"),
    "a logo that is no PNG": (
        both(with_keys(DEF, ImageBase64="aGVsbG8="), written("resources/logo.png", "hello")),
        f"{DEF}: ImageBase64 is no readable PNG: ",
    ),
    "a drawing that is torn": (
        both(with_keys(DEF, SVGImage="<svg"), written("resources/logo.svg", "<svg")),
        f"{DEF}: SVGImage is no well-formed SVG: ",
    ),
    "a drawing with another root": (
        both(with_keys(DEF, SVGImage="<html/>"), written("resources/logo.svg", "<html/>")),
        f"{DEF}: SVGImage's root is <html>, not <svg>",
    ),
    "a logo file that is another picture": (
        written("resources/logo.svg", "<svg/>"),
        "resources/logo.svg: it is not the picture in the definition's SVGImage",
    ),
    "an AI description of no action": (
        ai_of_actions(lambda entries: entries.update(Pong={})),
        f"{ACTIONS_AI}: the entry 'Pong' is of nothing in this package",
    ),
    "an action without AI description": (
        ai_of_actions(lambda entries: entries.pop("Ping")),
        f"{ACTIONS_AI}: there is no entry for 'Ping'",
    ),
    "an incomplete AI description": (
        ai_of_actions(lambda entries: entries["Ping"].pop("ai_short_description")),
        f'{ACTIONS_AI}: "Ping" ai_short_description: this key is missing',
    ),
    "a parameter that its AI description leaves out": (
        both(ai_of_actions(dict), in_file(PING, lambda action: action["Parameters"].append(parameter()))),
        f'{ACTIONS_AI}: "Ping" does not describe the parameter "Mode"',
    ),
    "an AI flag that is missing": (
        ai_of_actions(lambda entries: entries["Ping"]["outcome_categories"].pop("search_email")),
        f"{ACTIONS_AI}: \"Ping\" outcome_categories: missing: ['search_email'], unknown: []",
    ),
    "an AI description that runs on entities": (
        ai_of_actions(lambda entries: entries["Ping"]["entity_usage"].update(entity_types={"user": True})),
        f'{ACTIONS_AI}: "Ping" entity_usage: entity_types should be empty',
    ),
    "AI descriptions that are no YAML": (
        both(ai_of_actions(dict.clear), written(ACTIONS_AI, "{")),
        f"{ACTIONS_AI}: it is no YAML: ",
    ),
    "an integration's AI description that is incomplete": (
        both(ai_of_actions(dict), written("resources/ai/integration_ai_description.yaml", "{}")),
        "resources/ai/integration_ai_description.yaml: product_categories: this key is missing",
    ),
    "a connector's AI description that is empty": (
        both(
            ai_of_actions(dict),
            written(
                "resources/ai/connectors_ai_description.yaml",
                "Mimecast - Message Tracking Connector: {ai_description: ''}",
            ),
        ),
        "ai_description: String should have at least 1 character",
    ),
}
