"""What the packer's tests work with: copies of the repository, edits, and tiny wheels made by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
_PACKAGE_PARTS = (
    "Integration-Mimecast.def",
    "ActionsDefinitions",
    "ActionsScripts",
    "Connectors",
    "ConnectorsScripts",
    "Managers",
    "DefaultMappingRules",
    "Dependencies",
    "RN.json",
    ".python-version",
    "resources",
    "pyproject.toml",
)
_FIXED_TIME = (2020, 2, 2, 2, 2, 2)


def copy_repository(target: Path) -> Path:
    """Copy what the packer reads of the repository, without what tools left there."""
    target.mkdir(parents=True)
    for part in _PACKAGE_PARTS:
        source = REPOSITORY / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("__pycache__", "*.whl"))
        else:
            shutil.copy(source, target / part)
    return target


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a JSON file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def edited(content: bytes, change: Callable[[Any], object]) -> bytes:
    """Change a JSON text."""
    document = json.loads(content)
    change(document)
    return json.dumps(document).encode()


def append(path: Path, text: str) -> None:
    """Write to a text's end."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def parameter(**changes: Any) -> dict[str, Any]:
    """Make a parameter of an action: a list, in order but for the changes."""
    return {
        "Name": "Mode",
        "Description": "How.",
        "IsMandatory": True,
        "Type": 15,
        "OptionalValues": ["One", "Two"],
        "DefaultValue": "One",
        "Value": "One",
    } | changes


def make_wheel(
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    extra_metadata: str = "License: MIT\n",
    modules: Mapping[str, str] | None = None,
    metadata_name: str = "",
) -> tuple[str, bytes]:
    """Make a wheel that pip can install: its file name and its bytes, always the same."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {path: text.encode() for path, text in (modules or {f"{name.replace('-', '_')}.py": "VALUE = 1\n"}).items()}
    needs = "".join(f"Requires-Dist: {item}\n" for item in requires)
    info = f"{stem}.dist-info"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {metadata_name or name}\nVersion: {version}\n{extra_metadata}{needs}"
    ).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    files[f"{info}/RECORD"] = (
        "".join(
            f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}\n"
            for path, content in files.items()
        )
        + f"{info}/RECORD,,\n"
    ).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _FIXED_TIME), content)
    return f"{stem}-{tag}.whl", buffer.getvalue()


def sha256(content: bytes) -> str:
    """Return a hash."""
    return hashlib.sha256(content).hexdigest()


def put_wheel(folder: Path, wheel: tuple[str, bytes]) -> Path:
    """Write a wheel into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wheel[0]
    path.write_bytes(wheel[1])
    return path


def pin_wheels(root: Path, wheels: Iterable[tuple[str, bytes]], hub: Mapping[str, str] | None = None) -> None:
    """Make a repository's lists of pins say just these wheels.

    Args:
        root: The repository.
        wheels: File names and bytes.
        hub: Address of each wheel that is not on the package index, by distribution name.
    """
    requirements, entries = "", []
    for file, content in wheels:
        name, version = file.split("-")[:2]
        if hub and name in hub:
            entries.append({"name": name, "version": version, "sha256": sha256(content), "url": hub[name]})
        else:
            requirements += f"{name}=={version} \\\n    --hash=sha256:{sha256(content)}\n    # via -r some.in\n"
    (root / "Dependencies" / "requirements.txt").write_text(requirements, encoding="utf-8")
    (root / "Dependencies" / "hub-wheels.json").write_text(json.dumps(entries), encoding="utf-8")
