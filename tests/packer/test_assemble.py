"""What goes into the package, in which form, and under which name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from devkit.packer.assemble import assemble
from devkit.packer.event_terms import EventTerms
from devkit.packer.package import ACTION, CONNECTOR, Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.verify import package_findings
from tests.packer.breakages import CONNECTOR as CONNECTOR_FILE
from tests.packer.breakages import DEF, PING, ai_of_actions, with_keys
from tests.packer.workshop import edit

NAME_LINE = b'INTEGRATION_IDENTIFIER = "Mimecast"\n'


def test_nothing_but_the_package_is_in_it(repository: Path) -> None:
    before = assemble(repository)
    for name in (
        "Managers/__pycache__/MimecastAlert.cpython-311.pyc",
        "ActionsScripts/.ruff_cache/x",
        "ActionsScripts/notes.txt",
        "tests/test_it.py",
        "devkit/cli.py",
        "docs/package.md",
        "dist/Mimecast.zip",
        ".venv/lib/requests.py",
        "resources/ping_JsonResult_example.json",
        "Dependencies/left-over-1.0-py3-none-any.whl",
        "README.md",
    ):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("x", encoding="utf-8")

    assert assemble(repository) == before
    assert {path.partition("/")[0] for path in before} >= {
        DEF,
        "Managers",
        "ActionsScripts",
        "RN.json",
        ".python-version",
    }
    assert not [path for path in before if path.startswith(("tests", "devkit", "docs", "Dependencies", "pyproject"))]


def test_json_is_written_as_google_s_builder_writes_it(repository: Path) -> None:
    edit(repository / PING, lambda action: action.update(Description="Prüft die Verbindung."))

    text = assemble(repository)[PING].decode("ascii")

    assert text.startswith('{\n    "')
    assert '\n    "Creator": "admin",\n    "D' in text
    assert not text.endswith("\n")
    assert "Pr\\u00fcft" in text
    keys = list(json.loads(text))
    assert keys == sorted(keys)


def test_a_package_for_import_is_custom_and_a_certified_one_is_not(repository: Path) -> None:
    assert Package(assemble(repository)).integration["IsCustom"] is True
    assert Package(assemble(repository, certified=True)).integration["IsCustom"] is False
    for action in Package(assemble(repository)).definitions(ACTION).values():
        assert action["IsCustom"] is False


def test_the_summary_is_made_of_the_definitions(repository: Path) -> None:
    edit(
        repository / "RN.json",
        lambda notes: notes.append(
            notes[0]
            | {"IntroducedInIntegrationVersion": 10.0, "ChangeDescription": "more", "PublishTime": 1795392000 + 86400}
        ),
    )

    details = json.loads(assemble(repository)["Mimecast.fulldetails"])

    assert "Ping" in details["Actions"]
    assert details["Connectors"] == ["Mimecast - Message Tracking Connector"]
    assert "MimecastAlert" in details["Managers"]
    assert details["MappingRules"] == ["Default mapping rules"]
    assert details["IsCustom"] is False
    assert [(note["Version"], note["PublishTimeUnixTime"]) for note in details["ReleaseNotes"]] == [
        (9.0, 1795392000_000),
        (10.0, 1795392000_000 + 86400_000),
    ]
    assert details["ReleaseNotes"][1]["Items"] == ["more"]


def test_another_identifier_is_used_everywhere(repository: Path, pins: list[Pin], terms: EventTerms) -> None:
    files = assemble(repository, identifier="Mimecast_Next")
    package = Package(files)

    assert package.integration_path == "Integration-Mimecast_Next.def"
    assert "Mimecast_Next.fulldetails" in files
    assert DEF not in files
    assert "Mimecast.fulldetails" not in files
    assert package.integration["DisplayName"] == package.integration["MarketingDisplayName"] == "Mimecast Next"
    names = [connector["Name"] for connector in package.definitions(CONNECTOR).values()]
    assert names == ["Mimecast Next - Message Tracking Connector"]
    constants = files["Managers/MimecastConstants.py"]
    assert b'INTEGRATION_IDENTIFIER = "Mimecast_Next"\n' in constants
    assert NAME_LINE not in constants
    assert b'"Mimecast Next - Message Tracking Connector"' in constants
    assert json.loads(files["RN.json"])[0]["ItemName"] == "Mimecast Next"
    assert package_findings(package, pins, terms) == []


def test_the_product_keeps_its_name_under_another_identifier(repository: Path) -> None:
    before, after = assemble(repository), assemble(repository, identifier="Other")

    rules = json.loads(after["DefaultMappingRules/integration_mapping_rules.json"])
    assert {rule["Source"] for rule in rules} == {"Other"}
    assert {rule["Product"] for rule in rules} == {"Mimecast"}
    changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    assert {path for path in changed if path.endswith(".py")} == {"Managers/MimecastConstants.py"}


def test_a_connector_s_ai_description_follows_its_name(repository: Path) -> None:
    path = repository / "resources" / "ai" / "connectors_ai_description.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("Mimecast - Message Tracking Connector: {ai_description: x}\n", encoding="utf-8")

    text = assemble(repository, identifier="Other")["resources/ai/connectors_ai_description.yaml"]

    assert text == b"Other - Message Tracking Connector: {ai_description: x}\n"


@pytest.mark.parametrize("identifier", ["a b", "ü", "../x", "x" * 151, '"'])
def test_an_identifier_with_other_signs_is_refused(repository: Path, identifier: str) -> None:
    with pytest.raises(PackError, match=r"--identifier .* only letters, digits, - and _ are allowed"):
        assemble(repository, identifier=identifier)


def test_scripts_that_dont_say_who_they_are_cant_be_renamed(repository: Path) -> None:
    path = repository / "Managers" / "MimecastConstants.py"
    path.write_bytes(path.read_bytes().replace(NAME_LINE, b""))

    with pytest.raises(PackError, match=r"it should have the line INTEGRATION_IDENTIFIER = .* it has it 0 times"):
        assemble(repository, identifier="Other")


def test_a_connector_without_the_prefix_cant_be_renamed(repository: Path) -> None:
    with_keys(CONNECTOR_FILE, Name="Message Tracking Connector")(repository)

    with pytest.raises(PackError, match=r"connectordef: its Name should start with 'Mimecast - '"):
        assemble(repository, identifier="Other")


def test_ai_descriptions_get_into_the_definitions(repository: Path) -> None:
    shutil.rmtree(repository / "resources" / "ai")

    def describe(entries: dict[str, dict[str, dict[str, bool]]]) -> None:
        entries["Ping"]["outcome_categories"] |= {"search_email": True, "update_email": True}

    ai_of_actions(describe)(repository)

    action = json.loads(assemble(repository)[PING])

    assert action["AiDescription"].startswith("x\n ")
    assert action["AiShortDescription"] == "x"
    assert action["AiCategories"] == ["Remediation", "Enrichment"]
    assert action["OutcomeCategories"] == ["Search Email", "Update Email"]


def test_a_tree_without_a_definition_is_named(repository: Path) -> None:
    (repository / DEF).unlink()

    with pytest.raises(PackError, match=r"repository: there is no single Integration-<Identifier>\.def"):
        assemble(repository)


def test_a_definition_that_is_no_json_is_named(repository: Path) -> None:
    (repository / DEF).write_text("{", encoding="utf-8")

    with pytest.raises(PackError, match=r"Integration-Mimecast\.def: it is no JSON"):
        assemble(repository)


@pytest.mark.parametrize("folder", ["Widgets", "Jobs"])
def test_a_part_that_the_packer_does_not_know_is_not_left_out_silently(repository: Path, folder: str) -> None:
    (repository / folder).mkdir()

    with pytest.raises(PackError, match=f"{folder}: the packer does not know this folder yet"):
        assemble(repository)
