"""Reading the package's definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.platform.definitions import DefinitionError, as_text, load_package

INTEGRATION = {
    "Identifier": "Mimecast",
    "DisplayName": "Mimecast",
    "Description": "Mail",
    "IntegrationProperties": [
        {"PropertyName": "API Root", "PropertyType": 2, "IsMandatory": True, "Value": "https://{{api root}}"},
        {"PropertyName": "Secret Key", "PropertyType": 3, "IsMandatory": False, "Value": None},
        {"PropertyName": "Verify SSL", "PropertyType": 0, "IsMandatory": True, "Value": True},
    ],
}
ACTION = {
    "Name": "Simple Archive Search",
    "Description": "Searches",
    "Parameters": [
        {"Name": "Mailboxes", "Description": "", "IsMandatory": False, "Type": 0, "DefaultValue": "", "Value": ""},
        {
            "Name": "Time Frame",
            "Description": "When",
            "IsMandatory": True,
            "Type": 15,
            "DefaultValue": "Last Hour",
            "Value": "Last Hour",
            "OptionalValues": ["Last Hour", "Custom"],
        },
        {"Name": "Exact", "Description": "", "IsMandatory": False, "Type": 1, "DefaultValue": False, "Value": False},
        {
            "Name": "Only Default",
            "Description": "",
            "IsMandatory": False,
            "Type": 0,
            "DefaultValue": "50",
            "Value": None,
        },
    ],
}
CONNECTOR = {
    "Name": "Mimecast - Message Tracking Connector",
    "Description": "Ingests",
    "Parameters": [
        {
            "Name": "PythonProcessTimeout",
            "Description": "s",
            "IsMandatory": True,
            "Type": 1,
            "Mode": 2,
            "DefaultValue": 180,
        },
        {"Name": "Domains", "Description": "", "IsMandatory": True, "Type": 2, "Mode": 2, "DefaultValue": None},
    ],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "Integration-Mimecast.def", INTEGRATION)
    write(tmp_path / "ActionsDefinitions" / "simple_archive_search.actiondef", ACTION)
    write(tmp_path / "ActionsScripts" / "simple_archive_search.py", "")
    write(tmp_path / "Connectors" / "message_tracking_connector.connectordef", CONNECTOR)
    write(tmp_path / "ConnectorsScripts" / "message_tracking_connector.py", "")
    return tmp_path


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_definitions_are_found_by_the_stem_of_their_files(root: Path) -> None:
    package = load_package(root)
    assert package.integration.stem == "Mimecast"
    assert list(package.actions) == ["simple_archive_search"]
    action = package.actions["simple_archive_search"]
    assert action.name == "Simple Archive Search"
    assert action.script == root / "ActionsScripts" / "simple_archive_search.py"
    connector = package.connectors["message_tracking_connector"]
    assert connector.script == root / "ConnectorsScripts" / "message_tracking_connector.py"


def test_types_are_named_and_numbered_differently_for_actions(root: Path) -> None:
    package = load_package(root)
    assert [one.type_name for one in package.integration.parameters] == ["string", "password", "boolean"]
    assert [one.secret for one in package.integration.parameters] == [False, True, False]
    assert [one.type_name for one in package.actions["simple_archive_search"].parameters] == [
        "string",
        "list",
        "boolean",
        "string",
    ]
    assert package.actions["simple_archive_search"].parameters[1].options == ("Last Hour", "Custom")
    assert [one.type_name for one in package.connectors["message_tracking_connector"].parameters] == [
        "integer",
        "string",
    ]


def test_what_is_not_given_is_filled_in_as_a_text(root: Path) -> None:
    package = load_package(root)
    assert package.integration.fill({"Secret Key": "c2VjcmV0"}) == {
        "API Root": "https://{{api root}}",
        "Secret Key": "c2VjcmV0",
        "Verify SSL": "true",
    }
    assert package.actions["simple_archive_search"].fill({"Exact": "true"}) == {
        "Mailboxes": "",
        "Time Frame": "Last Hour",
        "Exact": "true",
        "Only Default": "50",
    }


def test_a_connectors_parameters_are_the_list_it_gets_on_standard_input(root: Path) -> None:
    connector = load_package(root).connectors["message_tracking_connector"]
    assert connector.connector_params({"Domains": "a.example"}) == [
        {"param_name": "PythonProcessTimeout", "param_value": "180", "type": 1, "mode": 2, "is_mandatory": True},
        {"param_name": "Domains", "param_value": "a.example", "type": 2, "mode": 2, "is_mandatory": True},
    ]
    assert connector.fill({})["Domains"] == ""


def test_an_unknown_parameter_is_named_with_those_there_are(root: Path) -> None:
    with pytest.raises(DefinitionError, match='has no parameter "Domain"; it has "PythonProcessTimeout", "Domains"'):
        load_package(root).connectors["message_tracking_connector"].fill({"Domain": "a.example"})


def test_a_definition_needs_its_script(root: Path) -> None:
    (root / "ActionsScripts" / "simple_archive_search.py").unlink()
    with pytest.raises(DefinitionError, match=r"has no script ActionsScripts/simple_archive_search\.py"):
        load_package(root)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("Integration-Mimecast.def", "{", "Integration-Mimecast.def is no JSON"),
        ("Integration-Mimecast.def", "[]", "Integration-Mimecast.def is no JSON object"),
        ("Integration-Mimecast.def", "{}", "Integration-Mimecast.def lacks the key 'IntegrationProperties'"),
        ("Integration-Other.def", "{}", "should have one Integration-<name>.def, it has 2"),
        ("ActionsDefinitions/simple_archive_search.actiondef", "{}", "lacks the key 'Name'"),
    ],
)
def test_a_definition_that_cannot_be_read_is_named(root: Path, file: str, content: str, message: str) -> None:
    write(root / file, content)
    with pytest.raises(DefinitionError, match=message):
        load_package(root)


@pytest.mark.parametrize(("value", "text"), [(None, ""), (True, "true"), (False, "false"), (180, "180"), ("x", "x")])
def test_values_as_texts(value: object, text: str) -> None:
    assert as_text(value) == text
