"""Rules on the repository: what its files outside the package say has to agree with the package."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from devkit.packer.package import ACTION, Finding, Package, objects

RESOURCES = "resources"
EXAMPLE_SUFFIX = "_JsonResult_example.json"
PROJECT = "pyproject.toml"
_GIVES_JSON = re.compile(r"\bjson\s*=|add_result_json")


def source_findings(package: Package, root: Path) -> Iterator[Finding]:
    """Judge the repository's tree against the package that is made of it.

    Args:
        package: The package, assembled.
        root: The repository.
    """
    yield from _version(package, root)
    yield from _logos(package, root)
    yield from _examples(package, root)


def _version(package: Package, root: Path) -> Iterator[Finding]:
    try:
        version = str(tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        yield Finding(PROJECT, f"the version can't be read: {error}")
        return
    if version != str(package.integration.get("Version")):
        yield Finding(PROJECT, f"version {version} is not the definition's {package.integration.get('Version')}")


def _logos(package: Package, root: Path) -> Iterator[Finding]:
    integration = package.integration
    for name, key, content in (
        ("logo.png", "ImageBase64", _base64(integration.get("ImageBase64"))),
        ("logo.svg", "SVGImage", str(integration.get("SVGImage")).strip().encode()),
    ):
        file = root / RESOURCES / name
        if not file.is_file():
            yield Finding(f"{RESOURCES}/{name}", "it is missing")
        elif file.read_bytes().strip() != content.strip():
            yield Finding(f"{RESOURCES}/{name}", f"it is not the picture in the definition's {key}")


def _base64(text: object) -> bytes:
    try:
        return base64.b64decode(str(text))
    except ValueError:
        return b""


def _examples(package: Package, root: Path) -> Iterator[Finding]:
    """Each JSON result has an example file, and the definition's example is what that file holds."""
    files = {
        path.name.removesuffix(EXAMPLE_SUFFIX): path for path in sorted((root / RESOURCES).glob(f"*{EXAMPLE_SUFFIX}"))
    }
    for path, action in package.definitions(ACTION).items():
        stem = PurePosixPath(path).stem
        example = next((row.get("ResultExample") for row in objects(action.get("DynamicResultsMetadata"))), None)
        file = files.pop(stem, None)
        where = f"{RESOURCES}/{stem}{EXAMPLE_SUFFIX}"
        if file is None:
            if example or _GIVES_JSON.search(package.files.get(ACTION.script_of(path), b"").decode("utf-8", "replace")):
                yield Finding(where, "it is missing; the action has a JSON result")
        elif _json(file.read_text(encoding="utf-8")) is None:
            yield Finding(where, "it is no JSON")
        elif _json(str(example)) != _json(file.read_text(encoding="utf-8")):
            yield Finding(path, f"its ResultExample is not what {where} holds")
    for stem in files:
        yield Finding(f"{RESOURCES}/{stem}{EXAMPLE_SUFFIX}", "there is no such action")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
