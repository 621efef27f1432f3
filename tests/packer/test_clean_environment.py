"""Scripts are imported in an environment made of the package's wheels alone, under the local platform."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devkit.packer import clean_environment
from devkit.packer.clean_environment import import_findings, why_not_here
from devkit.packer.package import Package
from devkit.packer.pins import Pin
from devkit.packer.verify import vendored_findings
from devkit.packer.wheel import Wheel
from tests.packer.test_wheels import pin
from tests.packer.workshop import make_wheel

SCRIPT = b"""from __future__ import annotations
from ScriptResult import EXECUTION_STATE_COMPLETED
from OurManager import thing
if __name__ == "__main__":
    raise SystemExit(EXECUTION_STATE_COMPLETED)
"""
MANAGER = b"import outer\nthing = outer.VALUE\n"
OUTER = make_wheel("outer", modules={"outer.py": "import inner\nVALUE = inner.VALUE\n"})
INNER = make_wheel("inner")
TIPCOMMON = make_wheel(
    "TIPCommon",
    modules={
        "TIPCommon/__init__.py": "import enum\n"
        "from SiemplifyJob import SiemplifyJob\nfrom SiemplifyDataModel import EntityTypes\n"
        "import SiemplifyVaultUtils\n"
        "class Kind(enum.Enum):\n    USER = EntityTypes.USER\n    HOST = EntityTypes.HOST\n"
        "Any = SiemplifyJob | EntityTypes\nassert len(Kind) == 2\nOURS = True\n"
    },
)

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or sys.version_info[:2] != (3, 11), reason="wheels can't be installed here"
)


def package(*made: tuple[str, bytes], script: bytes = SCRIPT, manager: bytes = MANAGER) -> Package:
    files = {f"Dependencies/{file}": content for file, content in made}
    return Package(files | {"ActionsScripts/act.py": script, "Managers/OurManager.py": manager})


def look(package: Package) -> list[str]:
    return [str(finding) for finding in import_findings(package)]


def test_scripts_whose_wheels_are_there_can_be_imported() -> None:
    assert look(package(OUTER, INNER)) == []


def test_a_wheel_that_is_missing_is_named_by_the_scripts_that_need_it() -> None:
    reason = "in an environment made of the package's wheels alone: ModuleNotFoundError: No module named 'inner'"

    assert look(package(OUTER)) == [f"Managers/OurManager.py: {reason}", f"ActionsScripts/act.py: {reason}"]


def test_what_is_installed_here_is_not_there() -> None:
    """The tests' own environment has pydantic; the clean one has not."""
    assert look(package(INNER, manager=b"import pydantic\nthing = 1\n"))[0].endswith("No module named 'pydantic'")


def test_what_pythonpath_would_bring_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner.py").write_text("VALUE = 2\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert look(package(OUTER))[0].endswith("No module named 'inner'")


def test_a_script_that_ends_the_process_is_named_and_the_others_are_tried() -> None:
    found = look(package(INNER, script=b"import sys\nsys.exit(3)\n", manager=b"1 / 0\n"))

    assert [line.rpartition("alone: ")[2] for line in found] == ["ZeroDivisionError: division by zero", "SystemExit: 3"]


def test_the_package_s_own_tipcommon_is_imported_though_the_local_sdk_has_one_and_lacks_what_it_imports() -> None:
    manager = b"import TIPCommon\nassert TIPCommon.OURS\nthing = 1\n"

    assert look(package(TIPCOMMON, manager=manager)) == []


def test_without_a_tipcommon_of_its_own_the_local_sdk_s_is_there() -> None:
    assert look(package(INNER, manager=b"from TIPCommon.filters import pass_whitelist_filter as thing\n")) == []


def test_wheels_that_cant_be_installed_are_named() -> None:
    broken = make_wheel("broken", modules={"broken.py": ""})
    content = broken[1].replace(b"Wheel-Version: 1.0", b"Wheel-Version: 9.0")

    found = look(package((broken[0], content)))

    assert len(found) == 1
    assert found[0].startswith("Dependencies: the wheels can't be installed: ")


def test_wheels_of_another_platform_are_not_tried_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_wheel("one", tag="cp311-cp311-manylinux2014_x86_64")
    monkeypatch.setattr(clean_environment, "sys_tags", lambda: iter(()))

    assert why_not_here([Wheel.read(*made)]) == (
        f"1 wheels are for another platform than this machine, such as {made[0]}"
    )
    assert vendored_findings(Package({f"Dependencies/{made[0]}": made[1]}), [pin(made)]) == (
        [],
        f"1 wheels are for another platform than this machine, such as {made[0]}",
    )


def test_a_package_without_wheels_cant_be_installed(pins: list[Pin]) -> None:
    findings, not_tried = vendored_findings(Package({"Managers/x.py": b""}), pins)

    assert [str(finding) for finding in findings] == [
        "Dependencies: there are no wheels in it: this package can't be installed"
    ]
    assert not_tried == ""
