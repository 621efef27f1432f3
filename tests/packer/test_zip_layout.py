"""Rules that only a package from elsewhere can break: the packer itself can't make such ZIPs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from devkit.packer.event_terms import EventTerms, event_terms
from devkit.packer.package import Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.verify import package_findings
from tests.packer.breakages import CONNECTOR, DEF, PING
from tests.packer.workshop import edited

Files = dict[str, bytes]


def wrapped(files: Files) -> Files:
    return {f"Mimecast/{path}": content for path, content in files.items()}


def added(path: str) -> Callable[[Files], Files]:
    return lambda files: files | {path: b"x"}


CASES: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a cache": (added("Managers/__pycache__/x.pyc"), "Managers/__pycache__/x.pyc: it is no part of a package"),
    "a test": (added("tests/test_x.py"), "tests/test_x.py: it is no part of a package"),
    "a file of the source layout": (added("pyproject.toml"), "pyproject.toml: it is no part of a package"),
    "an __init__": (added("ActionsScripts/__init__.py"), "ActionsScripts/__init__.py: it is no part of a package"),
    "a text among the wheels": (
        added("Dependencies/requirements.txt"),
        "Dependencies/requirements.txt: it is no part of a package",
    ),
    "another summary": (
        lambda files: (
            files | {"Mimecast.fulldetails": edited(files["Mimecast.fulldetails"], lambda d: d.update(Jobs=[1]))}
        ),
        "Mimecast.fulldetails: Jobs does not agree with the definitions",
    ),
    "no summary": (
        lambda files: {path: content for path, content in files.items() if path != "Mimecast.fulldetails"},
        "Mimecast.fulldetails: the summary is missing or no JSON object",
    ),
    "another identifier inside": (
        lambda files: files | {DEF: edited(files[DEF], lambda d: d.update(Identifier="Other"))},
        f"{DEF}: Identifier is 'Other', the package's identifier is 'Mimecast'",
    ),
    "no managers": (
        lambda files: {path: content for path, content in files.items() if not path.startswith("Managers/")},
        "Managers: a package must have this folder",
    ),
    "a result's example that is no JSON": (
        lambda files: (
            files
            | {
                PING: edited(
                    files[PING],
                    lambda d: d.update(
                        DynamicResultsMetadata=[{"ResultName": "JsonResult", "ShowResult": True, "ResultExample": "{"}]
                    ),
                )
            }
        ),
        f'{PING}: ResultExample of "JsonResult" is no JSON: ',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_in_order_is_named(name: str, files: Files, pins: list[Pin], terms: EventTerms) -> None:
    change, expected = CASES[name]

    found = [str(finding) for finding in package_findings(Package(change(files)), pins, terms)]

    assert any(line.startswith(expected) for line in found), found


def test_a_package_within_a_folder_is_named_first(files: Files, pins: list[Pin], terms: EventTerms) -> None:
    found = package_findings(Package(wrapped(files)), pins, terms)

    assert str(found[0]) == f"Mimecast/{DEF}: it has to be at the ZIP's root, not in a folder"


def test_two_definitions_are_named(files: Files, pins: list[Pin], terms: EventTerms) -> None:
    found = package_findings(Package(files | {"Integration-Other.def": files[DEF]}), pins, terms)

    assert str(found[0]) == f"{DEF}, Integration-Other.def: there should be one Integration-<Identifier>.def"


def test_an_empty_package_is_judged_too(pins: list[Pin]) -> None:
    found = [str(finding) for finding in package_findings(Package({}), pins, {})]

    assert "Integration-<Identifier>.def: it is missing at the root" in found
    assert "ActionsDefinitions: there is no action Ping" in found


def test_definitions_of_any_wrong_shape_are_judged_without_a_crash(
    files: Files, pins: list[Pin], terms: EventTerms
) -> None:
    shapes = [
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"{",
        b"\xff",
        b'{"Parameters": null}',
        b'{"Parameters": [1]}',
        b"[[]]",
        b"[1]",
    ]
    for path in (DEF, PING, CONNECTOR, "RN.json", "DefaultMappingRules/integration_mapping_rules.json"):
        for shape in shapes:
            assert package_findings(Package(files | {path: shape}), pins, terms), (path, shape)


def test_the_terms_are_those_of_the_package_s_own_managers(files: Files) -> None:
    path = "Managers/MimecastAlert.py"
    changed = files | {path: files[path].replace(b'"tracking_id": row', b'"renamed_id": row')}

    terms = event_terms(Package(changed))

    assert terms.keys() == {"Message", "Message Component"}
    assert all("renamed_id" in keys and "tracking_id" not in keys for keys in terms.values())
    assert "Product Name" in terms["Message"]


def test_managers_that_cant_make_events_are_named(files: Files, pins: list[Pin]) -> None:
    changed = Package(files | {"Managers/MimecastAlert.py": b"raise ValueError('broken')\n"})

    with pytest.raises(PackError, match="the connector's events can't be built: ValueError: broken"):
        event_terms(changed)
    assert "Managers: the connector's events can't be built: ValueError: broken" in [
        str(finding) for finding in package_findings(changed, pins)
    ]
