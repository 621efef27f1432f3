"""Every vendored wheel is the pinned one, fits the platform, and none is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from devkit.packer.package import Package, PackError
from devkit.packer.pins import Pin, read_pins
from devkit.packer.rules_code import code_findings, provided_by_wheels
from devkit.packer.rules_wheels import read_wheels, wheel_findings
from devkit.packer.wheel import Wheel
from tests.packer.workshop import make_wheel, pin_wheels, sha256

Made = tuple[str, bytes]


def pin(made: Made, **changes: Any) -> Pin:
    name, version = made[0].split("-")[:2]
    return Pin(
        **({"display_name": name, "version": Version(version), "hashes": frozenset({sha256(made[1])})} | changes)
    )


def look(made: Iterable[Made], pins: Iterable[Pin]) -> list[str]:
    package = Package({f"Dependencies/{file}": content for file, content in made})
    wheels, unreadable = read_wheels(package)
    return [str(finding) for finding in [*unreadable, *wheel_findings(wheels, list(pins))]]


def test_complete_wheels_have_no_findings() -> None:
    inner = make_wheel("inner", "2.1")
    outer = make_wheel(
        "Outer", requires=["inner<3,>=2", "colorama; sys_platform == 'win32'", "pytest; extra == 'test'"]
    )

    assert look([outer, inner], [pin(outer), pin(inner)]) == []


def test_a_hash_that_does_not_match_is_named() -> None:
    made, other = make_wheel("one"), make_wheel("one", modules={"one.py": "import evil\n"})

    assert look([other], [pin(made)]) == [
        f"Dependencies/one-1.0-py3-none-any.whl: its sha256 {sha256(other[1])} is not a pinned one"
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-win_amd64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-abi3-manylinux_2_17_x86_64",
        "cp311-cp311-linux_x86_64",
        "py2-none-any",
    ],
)
def test_a_wheel_for_another_platform_is_named(tag: str) -> None:
    made = make_wheel("one", tag=tag)

    assert look([made], [pin(made)]) == [
        f"Dependencies/one-1.0-{tag}.whl: it is for another platform than CPython 3.11 on x86_64 Linux with glibc 2.17"
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp37-abi3-manylinux_2_17_x86_64",
        "cp311-abi3-manylinux1_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux_2_28_x86_64",
        "py3-none-manylinux2010_x86_64",
    ],
)
def test_a_wheel_for_the_platform_fits(tag: str) -> None:
    made = make_wheel("one", tag=tag)

    assert look([made], [pin(made)]) == []


def test_a_missing_transitive_wheel_is_named() -> None:
    made = make_wheel("outer", requires=["inner>=2"])

    assert look([made], [pin(made)]) == [
        "Dependencies/outer-1.0-py3-none-any.whl: it needs inner>=2, and no wheel of it is there"
    ]


def test_a_pinned_wheel_that_is_missing_is_named_once() -> None:
    outer, inner = make_wheel("outer", requires=["inner"]), make_wheel("inner")

    assert look([outer], [pin(outer), pin(inner)]) == ["Dependencies: the wheel of inner 1.0 is missing"]


def test_a_transitive_wheel_of_the_wrong_version_is_named() -> None:
    outer, inner = make_wheel("outer", requires=["inner>=2"]), make_wheel("inner", "1.9")

    assert look([outer, inner], [pin(outer), pin(inner)]) == [
        "Dependencies/outer-1.0-py3-none-any.whl: it needs inner>=2, and 1.9 is there"
    ]


def test_what_an_extra_needs_is_wanted_only_if_the_extra_is_asked_for() -> None:
    inner = make_wheel("inner", extra_metadata="Provides-Extra: fast\n", requires=["speed; extra == 'fast'"])
    plain, asking = make_wheel("outer", requires=["inner"]), make_wheel("outer", requires=["inner[fast]"])

    assert look([plain, inner], [pin(plain), pin(inner)]) == []
    assert look([asking, inner], [pin(asking), pin(inner)]) == [
        'Dependencies/outer-1.0-py3-none-any.whl: it needs speed; extra == "fast", and no wheel of it is there'
    ]


@pytest.mark.parametrize(
    ("marker", "needed"),
    [
        ("python_version < '3.12'", True),
        ("python_full_version < '3.11.3'", True),
        ("python_version >= '3.12'", False),
        ("sys_platform == 'linux' and platform_machine == 'x86_64'", True),
        ("platform_machine == 'aarch64'", False),
        ("implementation_name == 'pypy'", False),
    ],
)
def test_markers_are_those_of_the_platform_whatever_this_machine_is(marker: str, needed: bool) -> None:
    made = make_wheel("outer", requires=[f"inner; {marker}"])

    assert bool(look([made], [pin(made)])) is needed


def test_other_things_that_are_wrong_with_a_wheel_are_named() -> None:
    made = make_wheel("one")
    newer = make_wheel("one", "2.0")
    built = make_wheel("one", tag="cp311-cp311-manylinux2014_x86_64")
    needy = make_wheel("one", extra_metadata="Requires-Python: >=3.12\n")
    false_name = make_wheel("one", metadata_name="two")
    folder = "Dependencies/"

    assert look([made], []) == [f"{folder}{made[0]}: it is not pinned"]
    assert look([newer], [pin(made)]) == [f"{folder}{newer[0]}: 1.0 is the pinned version"]
    assert look([needy], [pin(needy)]) == [f"{folder}{needy[0]}: it needs Python >=3.12"]
    assert look([built, made], [pin(built)]) == [f"{folder}{made[0]}: one is there twice, also as {built[0]}"]
    assert look([false_name], []) == [f"{folder}{false_name[0]}: its metadata say that it is two 1.0"]
    assert look([("one.whl", b"")], []) == [f"{folder}one.whl: this is no wheel's file name"]
    assert look([(made[0], made[1][:-30])], [])[0].startswith(f"{folder}{made[0]}: the wheel is torn or none at all: ")


def test_a_manager_named_like_a_vendored_package_is_named() -> None:
    file, content = make_wheel("dist-name", modules={"package/__init__.py": "", "single.py": "", "_native.so": ""})
    wheel = Wheel.read(file, content)
    package = Package(
        {"Managers/package.py": b"", "Managers/other.py": b"import package\nimport single\nimport nothing\n"}
    )

    assert wheel.top_levels == {"package", "single", "_native"}
    assert [str(finding) for finding in code_findings(package, provided_by_wheels([wheel]))] == [
        "Managers/package.py: a package among the wheels has this name",
        "Managers/other.py:3: nothing provides 'nothing': no manager, no SDK module, no wheel",
    ]


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\n", "MIT OR Apache-2.0"),
        ("License: BSD\n", "BSD"),
        ("Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: X\n", "MIT License"),
        ("", "Apache License, Version 2.0"),
    ],
)
def test_a_licence_is_read_from_wherever_the_wheel_says_it(metadata: str, licence: str) -> None:
    modules = {"one.py": "", "one-1.0.dist-info/licenses/LICENSE": "\n   Apache License\n\n  Version 2.0\n\n text"}

    assert Wheel.read(*make_wheel("one", extra_metadata=metadata, modules=modules)).licence == licence


def test_pins_are_read_from_both_lists(repository: Path) -> None:
    one, two = make_wheel("one"), make_wheel("two", "2.5")
    pin_wheels(repository, [one, two], hub={"two": "https://example.com/two-2.5-py3-none-any.whl"})

    assert read_pins(repository) == [
        Pin("one", Version("1.0"), frozenset({sha256(one[1])})),
        Pin("two", Version("2.5"), frozenset({sha256(two[1])}), "https://example.com/two-2.5-py3-none-any.whl"),
    ]


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"requirements.txt": f"one>=1 {HASH}\n"}, "requirements.txt: one is not pinned to one version"),
        ({"requirements.txt": f"one==1.* {HASH}\n"}, "requirements.txt: one is not pinned to one version"),
        ({"requirements.txt": "one==1\n"}, "requirements.txt: one has no sha256 hash"),
        ({"requirements.txt": f"-r other.txt {HASH}\n"}, "requirements.txt: this line is no requirement: -r other.txt"),
        ({"requirements.txt": f"one==1 {HASH}\nOne==2 {HASH}\n"}, "Dependencies: One is pinned twice"),
        ({"hub-wheels.json": json.dumps([{"name": "x"}])}, "hub-wheels.json: 0.version: Field required"),
    ],
)
def test_a_list_that_does_not_pin_is_refused(repository: Path, files: Mapping[str, str], problem: str) -> None:
    for name, text in files.items():
        (repository / "Dependencies" / name).write_text(text, encoding="utf-8")

    with pytest.raises(PackError) as caught:
        read_pins(repository)
    assert str(caught.value).endswith(problem)


def test_a_list_that_is_not_there_is_named(repository: Path) -> None:
    (repository / "Dependencies" / "hub-wheels.json").unlink()

    with pytest.raises(PackError, match=r"hub-wheels\.json: it can't be read: No such file or directory"):
        read_pins(repository)
