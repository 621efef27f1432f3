"""The commands as people use them: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from devkit.packer import commands, verify
from devkit.packer.archive import read_zip
from devkit.packer.event_terms import EventTerms
from devkit.packer.rules_code import provided_by_pins
from tests.packer.breakages import DEF, PING_SCRIPT
from tests.packer.workshop import append, copy_repository, make_wheel, pin_wheels, put_wheel, sha256

MODULES = {
    "requests": {"requests/__init__.py": "", "requests/auth.py": ""},
    "urllib3": {"urllib3/__init__.py": ""},
    "pydantic": {"pydantic/__init__.py": "", "pydantic/dataclasses.py": ""},
    "python-dateutil": {"dateutil/__init__.py": ""},
    "tenacity": {"tenacity/__init__.py": ""},
    "defusedxml": {"defusedxml/__init__.py": ""},
    "TIPCommon": {"TIPCommon/__init__.py": ""},
    "EnvironmentCommon": {"EnvironmentCommon/__init__.py": ""},
}
"""What the package imports, as wheels with nothing in them."""

Run = Callable[..., Result]


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for name, modules in MODULES.items():
        put_wheel(folder, make_wheel(name, modules=modules))
    return folder


@pytest.fixture
def root(tmp_path: Path, wheels: Path, terms: EventTerms, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose wheels are tiny, and whose managers are not asked for their events each time."""
    root = copy_repository(tmp_path / "root")
    made = [(path.name, path.read_bytes()) for path in sorted(wheels.iterdir())]
    hub = {name: f"http://127.0.0.1:1/{name}-1.0-py3-none-any.whl" for name in ("TIPCommon", "EnvironmentCommon")}
    pin_wheels(root, made, hub)
    monkeypatch.setattr(commands, "ROOT", root)
    monkeypatch.setattr(verify, "event_terms", lambda _: terms)
    monkeypatch.chdir(tmp_path)
    return root


@pytest.fixture
def run(root: Path) -> Run:
    app = typer.Typer()
    app.command("build")(commands.build)
    app.command("check")(commands.check)
    app.command("version")(commands.bump_version)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_build_makes_the_zip_and_says_what_is_in_it(run: Run, wheels: Path, tmp_path: Path) -> None:
    result = run("build", "--wheels", wheels)

    assert result.exit_code == 0, result.output
    target = tmp_path / "dist" / "Mimecast.zip"
    files = read_zip(target)
    assert DEF in files
    given = {f"Dependencies/{path.name}" for path in wheels.iterdir()}
    assert {path for path in files if path.endswith(".whl")} == given
    assert f"8 of them wheels, {target.stat().st_size / 1e6:.1f} MB" in result.output
    assert f"sha256 {sha256(target.read_bytes())}" in result.output
    assert re.search(r"TIPCommon +│ 1\.0 +│ MIT +│ --wheels +│ +\d+ │", result.output)
    assert "8 wheels" in result.output
    assert sorted(path.name for path in target.parent.iterdir()) == ["Mimecast.zip", "sbom.json"]


def test_the_bill_of_materials_names_every_wheel(run: Run, wheels: Path, tmp_path: Path) -> None:
    assert run("build", "--wheels", wheels).exit_code == 0
    text = (tmp_path / "dist" / "sbom.json").read_text(encoding="utf-8")
    bill = json.loads(text)

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == "9.0"
    zip_sha256 = sha256((tmp_path / "dist" / "Mimecast.zip").read_bytes())
    assert bill["metadata"]["component"]["hashes"][0]["content"] == zip_sha256
    assert {component["name"] for component in bill["components"]} == set(MODULES)
    (requests,) = (component for component in bill["components"] if component["name"] == "requests")
    content = (wheels / "requests-1.0-py3-none-any.whl").read_bytes()
    assert requests["hashes"] == [{"alg": "SHA-256", "content": sha256(content)}]
    assert requests["licenses"] == [{"license": {"id": "MIT"}}]
    assert requests["purl"] == "pkg:pypi/requests@1.0"
    assert {item["name"]: item["value"] for item in requests["properties"]} == {
        "mimecast:wheel:bytes": str(len(content)),
        "mimecast:wheel:file": "requests-1.0-py3-none-any.whl",
    }
    (tipcommon,) = (component for component in bill["components"] if component["name"] == "TIPCommon")
    assert tipcommon["externalReferences"][0]["url"] == "http://127.0.0.1:1/TIPCommon-1.0-py3-none-any.whl"

    assert run("build", "--wheels", wheels).exit_code == 0
    assert (tmp_path / "dist" / "sbom.json").read_text(encoding="utf-8") == text


def test_build_without_wheels_is_named_as_incomplete(run: Run, tmp_path: Path) -> None:
    result = run("build", "--without-wheels")

    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["Mimecast-INCOMPLETE-without-wheels.zip"]
    assert "can't be installed" in result.output


def test_build_under_another_identifier(run: Run, tmp_path: Path) -> None:
    result = run("build", "--without-wheels", "--identifier", "MimecastNext", "--certified", "--output", "out")

    assert result.exit_code == 0, result.output
    files = read_zip(tmp_path / "out" / "MimecastNext-INCOMPLETE-without-wheels.zip")
    assert json.loads(files["Integration-MimecastNext.def"])["IsCustom"] is False


def test_build_that_cant_get_a_wheel_leaves_nothing_and_tells_both_ways(run: Run, tmp_path: Path, wheels: Path) -> None:
    (wheels / "TIPCommon-1.0-py3-none-any.whl").unlink()

    result = run("build", "--wheels", wheels)

    assert result.exit_code == 1
    assert "TIPCommon 1.0: not on the package index, and http://127.0.0.1:1/" in result.stderr
    assert "--wheels FOLDER" in result.stderr
    assert result.stderr.count("\n") == 1
    assert list((tmp_path / "dist").iterdir()) == []


def test_build_of_a_faulty_tree_names_the_faults_and_writes_nothing(
    run: Run, root: Path, wheels: Path, tmp_path: Path
) -> None:
    (root / PING_SCRIPT).unlink()

    result = run("build", "--wheels", wheels)

    assert result.exit_code == 1
    assert result.stdout == "ActionsDefinitions/ping.actiondef: its script ActionsScripts/ping.py is missing\n"
    assert result.stderr == "1 finding; nothing was built\n"
    assert list((tmp_path / "dist").iterdir()) == []


def test_build_with_a_wheel_that_misses_another_writes_nothing(
    run: Run, root: Path, wheels: Path, tmp_path: Path
) -> None:
    put_wheel(wheels, make_wheel("tenacity", modules=MODULES["tenacity"], requires=["patience"]))
    pin_wheels(root, [(path.name, path.read_bytes()) for path in sorted(wheels.iterdir())])

    result = run("build", "--wheels", wheels)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == (
        "Dependencies/tenacity-1.0-py3-none-any.whl: it needs patience, and no wheel of it is there"
    )
    assert list((tmp_path / "dist").iterdir()) == []


def test_build_finds_an_import_that_no_vendored_wheel_has(run: Run, root: Path, wheels: Path) -> None:
    """Before there are wheels, what is installed here stands in for them."""
    append(root / "Managers" / "MimecastAuth.py", "import tenacity.extra, dateutil.tz, urllib3, _tenacity\n")

    result = run("build", "--wheels", wheels)

    assert result.exit_code == 1
    assert "nothing provides '_tenacity': no manager, no SDK module, no wheel" in result.stdout


def test_build_into_a_folder_that_cant_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    result = run("build", "--without-wheels", "--output", "file/dist")

    assert result.exit_code == 1
    assert result.stderr == "file/dist: this folder can't be written: Not a directory\n"


def test_check_of_the_tree(run: Run, root: Path) -> None:
    good = run("check")
    append(root / PING_SCRIPT, "import no_such_module\n")
    bad = run("check")

    assert good.exit_code == 0, good.output
    assert re.match(r"check: \d+ files, nothing wrong \(the tree, without wheels;", good.stdout)
    assert bad.exit_code == 1
    assert bad.stdout.count("\n") == 1
    assert "nothing provides 'no_such_module'" in bad.stdout


def test_check_of_a_zip_imports_its_scripts_in_an_environment_of_its_own(run: Run, wheels: Path) -> None:
    """The wheels here are empty: the scripts can't be imported, and the check has to say so."""
    assert run("build", "--wheels", wheels).exit_code == 0

    result = run("check", "dist/Mimecast.zip")

    assert result.exit_code == 1
    assert re.search(
        r"(?m)^ActionsScripts/ping\.py: in an environment made of .* alone: ImportError: ",
        result.stdout,
    )


def test_check_of_a_zip_without_wheels(run: Run) -> None:
    assert run("build", "--without-wheels").exit_code == 0

    result = run("check", "dist/Mimecast-INCOMPLETE-without-wheels.zip")

    assert result.exit_code == 1
    assert result.stdout == "Dependencies: there are no wheels in it: this package can't be installed\n"


def test_check_of_a_torn_zip(run: Run, wheels: Path, tmp_path: Path) -> None:
    assert run("build", "--wheels", wheels).exit_code == 0
    target = tmp_path / "dist" / "Mimecast.zip"
    target.write_bytes(target.read_bytes()[:-40])

    result = run("check", target)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{target}: the ZIP is torn or none at all: ")
    assert result.stderr.count("\n") == 1


def test_version(run: Run, root: Path) -> None:
    good = run("version", "10.0", "--note", "More.")
    bad = run("version", "9.5", "--note", "More.")

    assert good.exit_code == 0, good.output
    assert good.stdout.startswith("version 10.0: Integration-Mimecast.def, RN.json, pyproject.toml.")
    assert bad.exit_code == 1
    assert bad.stderr == "9.5: a new version is two numbers with a point and above 10.0\n"


def test_imports_count_as_provided_by_pins_that_are_installed_here(pins: list) -> None:
    assert provided_by_pins(pins) >= {"requests", "dateutil", "pydantic", "TIPCommon"}
    assert "pytest" not in provided_by_pins(pins)
