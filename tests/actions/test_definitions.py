"""The definitions, the models that read their parameters, and the specification agree; so do the other two forms."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from devkit.platform.definitions import Definition, Parameter
from MimecastActionValues import OneOf
from MimecastParameters import Configuration, ConnectorParameters, Parameters

from .support import PACKAGE, ROOT, load_script

STRING, BOOLEAN, LIST = 0, 1, 15
"""Types of action parameters."""

FIELDS = (
    "attachmentcount,status,subject,size,receiveddate,displayfrom,displayfromaddress,id,displayto,displaytoaddresslist,"
    "smash"
)
FRAMES = ("Last Hour", "Last 6 Hours", "Last 24 Hours", "Last Week", "Last Month", "Custom")
REASONS = (
    "Select One",
    "Inappropriate Communication",
    "Confidential Information",
    "Against Email Policy",
    "Restricted Content",
)
TARGETS = (
    "Everyone",
    "Email Address",
    "Email Domain",
    "Header Display Name",
    "Internal Addresses",
    "External Addresses",
)
Row = tuple[str, int, str, bool, tuple[str, ...]]


def text(name: str, default: str = "", *, mandatory: bool = False) -> Row:
    return name, STRING, default, mandatory, ()


def flag(name: str, default: str) -> Row:
    return name, BOOLEAN, default, False, ()


def choice(name: str, options: tuple[str, ...], default: str, *, mandatory: bool = False) -> Row:
    return name, LIST, default, mandatory, options


SPECIFICATION: dict[str, list[Row]] = {
    "Ping": [],
    "Simple Archive Search": [
        text("Fields To Return", FIELDS, mandatory=True),
        text("Mailboxes"),
        text("From"),
        text("To"),
        text("Subject"),
        choice("Time Frame", FRAMES, "Last Hour", mandatory=True),
        text("Start Time"),
        text("End Time"),
        text("Max Emails To Return", "50"),
    ],
    "Advanced Archive Search": [text("XML Query", mandatory=True)],
    "Reject Message": [
        text("Message ID", mandatory=True),
        text("Note"),
        choice("Reason", REASONS, "Select One"),
        flag("Notify Sender", "false"),
    ],
    "Release Message": [text("Message ID", mandatory=True), flag("Release To Sandbox", "false")],
    "Report Message": [
        text("Message ID", mandatory=True),
        choice("Report As", ("Spam", "Malware", "Phishing"), "Spam"),
        text("Comment"),
    ],
    "Block Sender": [text("Sender", mandatory=True), text("Recipient", mandatory=True)],
    "Permit Sender": [text("Sender", mandatory=True), text("Recipient", mandatory=True)],
    "Create Block Sender Policy": [
        choice("Response", ("Block Sender", "No Action"), "Block Sender"),
        text("Description", mandatory=True),
        choice("Extracted Data", ("Both", "From Envelope", "From Headers"), "Both"),
        text("Sender"),
        choice("Sender Type", TARGETS, "Email Domain"),
        text("Recipient"),
        choice("Recipient Type", TARGETS, "Email Domain"),
        text("Comment"),
        flag("Bidirectional", "true"),
        flag("Enforced", "true"),
        text("Start Time"),
        text("End Time"),
    ],
}
"""Section 2 of the specification: name, type, default, mandatory, list values."""
WITH_JSON_RESULT = {"simple_archive_search", "advanced_archive_search", "create_block_sender_policy"}


def model_of(stem: str) -> tuple[str, type[Parameters]]:
    """Display name and parameter model that an action's script hands to ``run_action``."""
    handed: list[Any] = []
    module = load_script(stem)
    module.run_action = lambda name, model, perform, **options: handed.append((name, model))  # type: ignore[attr-defined]
    module.main()
    ((name, model),) = handed
    return name, model


def options_of(field: FieldInfo) -> tuple[str, ...]:
    for each in field.metadata:
        if isinstance(each, BeforeValidator) and isinstance(each.func, OneOf):
            return each.func.options
    return ()


def expected_default(value: object) -> str:
    """A model's default as a form shows it."""
    if value is None or value == ():
        return ""
    return (
        str(value).lower() if isinstance(value, bool) else ",".join(value) if isinstance(value, tuple) else str(value)
    )


def assert_fields_agree(parameters: Iterable[Parameter], model: type[Parameters], boolean_type: int) -> None:
    """Compare names, types, defaults, list values and what is mandatory; the caller says which names count."""
    fields = {field.alias: field for field in model.model_fields.values()}
    for parameter in parameters:
        field = fields[parameter.name]
        is_boolean = field.annotation is bool
        assert (parameter.type_number == boolean_type) == is_boolean, parameter.name
        if field.is_required():
            assert parameter.mandatory, parameter.name
        else:
            assert parameter.default == expected_default(field.default), parameter.name


@pytest.mark.parametrize("stem", sorted(PACKAGE.actions))
def test_definition_model_and_specification_of_an_action_agree(stem: str) -> None:
    definition = PACKAGE.actions[stem]
    name, model = model_of(stem)
    assert definition.name == name
    rows = [(each.name, each.type_number, each.default, each.mandatory, each.options) for each in definition.parameters]
    assert rows == SPECIFICATION[name]
    fields = {field.alias: field for field in model.model_fields.values()}
    assert list(fields) == [parameter.name for parameter in definition.parameters]
    assert_fields_agree(definition.parameters, model, BOOLEAN)
    for parameter in definition.parameters:
        field = fields[parameter.name]
        assert field.is_required() == parameter.mandatory, parameter.name
        assert options_of(field) == parameter.options, parameter.name
        assert (parameter.type_number == LIST) == bool(parameter.options), parameter.name


def test_every_action_of_the_specification_is_there() -> None:
    assert {definition.name for definition in PACKAGE.actions.values()} == set(SPECIFICATION)


def test_the_forms_own_values_are_good_wherever_they_are_enough() -> None:
    enough = {
        "advanced_archive_search": {"XML Query": "<xmlquery/>"},
        "block_sender": {"Sender": "a@b.example", "Recipient": "c@d.example"},
        "permit_sender": {"Sender": "a@b.example", "Recipient": "c@d.example"},
        "create_block_sender_policy": {"Description": "d", "Sender": "a.example", "Recipient": "b.example"},
        "reject_message": {"Message ID": "eN1"},
        "release_message": {"Message ID": "eN1"},
        "report_message": {"Message ID": "eN1"},
    }
    for stem, definition in PACKAGE.actions.items():
        model_of(stem)[1].read(definition.fill(enough.get(stem, {})))


# --- files -----------------------------------------------------------------------------------------------------------


def raw(stem: str) -> dict[str, Any]:
    path = ROOT / "ActionsDefinitions" / f"{stem}.actiondef"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert path.read_text(encoding="utf-8") == json.dumps(document, indent=4, sort_keys=True)
    return document


@pytest.mark.parametrize("stem", sorted(PACKAGE.actions))
def test_each_definition_is_written_and_filled_in_like_the_others(stem: str) -> None:
    document, ping = raw(stem), raw("ping")
    assert set(document) == set(ping)
    same = set(ping) - {"Name", "Description", "Parameters", "DynamicResultsMetadata"}
    assert {key: document[key] for key in same} == {key: ping[key] for key in same}
    for parameter in document["Parameters"]:
        assert set(parameter) == {
            "Name",
            "Description",
            "IsMandatory",
            "Type",
            "DefaultValue",
            "Value",
            "OptionalValues",
        }
        assert parameter["Description"].strip()
        assert parameter["DefaultValue"] == parameter["Value"]
        assert type(parameter["Value"]) is (bool if parameter["Type"] == BOOLEAN else str)
        if parameter["Type"] == LIST:
            assert parameter["Value"] in parameter["OptionalValues"]
        else:
            assert parameter["OptionalValues"] is None


@pytest.mark.parametrize("stem", sorted(PACKAGE.actions))
def test_actions_with_a_json_result_have_one_example_in_both_places(stem: str) -> None:
    metadata = raw(stem)["DynamicResultsMetadata"]
    example = ROOT / "resources" / f"{stem}_JsonResult_example.json"
    assert bool(metadata) == example.exists() == (stem in WITH_JSON_RESULT)
    if metadata:
        ((only),) = metadata
        assert (only["ResultName"], only["ShowResult"]) == ("JsonResult", True)
        assert json.loads(only["ResultExample"]) == json.loads(example.read_text(encoding="utf-8"))


def test_the_description_of_the_time_frame_says_what_last_week_and_last_month_are() -> None:
    (frame,) = [each for each in PACKAGE.actions["simple_archive_search"].parameters if each.name == "Time Frame"]
    assert "Last Week is the previous calendar week, from Monday 00:00 UTC to Monday 00:00 UTC" in frame.description
    assert "Last Month the previous calendar month" in frame.description


# --- the integration and the connector -------------------------------------------------------------------------------

FORM_BOOLEAN = 0
"""Type of booleans in the forms of integration and connector; actions number types in another way."""
READ_BY_THE_PLATFORM = {
    "DeviceProductField",  # read by the connector too
    "EventClassId",
    "Proxy Server Address",
    "Proxy Username",
    "Proxy Password",
}


def names(definition: Definition) -> list[str]:
    return [parameter.name for parameter in definition.parameters]


def aliases(model: type[Parameters]) -> set[str]:
    return {typing.cast(str, field.alias) for field in model.model_fields.values()}


def test_the_integrations_form_is_what_the_configuration_reads() -> None:
    assert set(names(PACKAGE.integration)) == aliases(Configuration)
    for parameter in PACKAGE.integration.parameters:
        if parameter.name != "API Root":  # its default is an example that must be replaced
            assert_fields_agree([parameter], Configuration, FORM_BOOLEAN)
    assert [each.name for each in PACKAGE.integration.parameters if each.mandatory] == ["API Root", "Verify SSL"]


def test_the_connectors_form_is_what_the_connector_reads() -> None:
    (connector,) = PACKAGE.connectors.values()
    read = aliases(ConnectorParameters) | aliases(Configuration)
    assert set(names(connector)) == read | READ_BY_THE_PLATFORM
    own = {each.name: each for each in connector.parameters if each.name in aliases(ConnectorParameters)}
    status = own.pop("Status Filter")
    assert_fields_agree(own.values(), ConnectorParameters, FORM_BOOLEAN)
    # Empty means all here, so the form's default can't be what the model makes of an empty value.
    assert (status.default, ConnectorParameters.model_fields["statuses"].default) == ("held", ())
    shared = {parameter.name: parameter for parameter in PACKAGE.integration.parameters}
    for parameter in connector.parameters:
        if parameter.name in shared:
            same = shared[parameter.name]
            assert (parameter.type_number, parameter.default, parameter.mandatory) == (
                same.type_number,
                same.default,
                same.mandatory,
            )


def test_the_parameters_of_the_scripts_are_nobody_elses() -> None:
    assert {path.stem for path in Path(ROOT / "ActionsScripts").glob("*.py")} == set(PACKAGE.actions)
