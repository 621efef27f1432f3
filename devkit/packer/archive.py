"""Writes the ZIP so that the same files always give the same bytes, and reads one that came from anywhere."""

from __future__ import annotations

import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from devkit.packer.package import Files, PackError

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest time a ZIP can hold: when a file was written says nothing about what is in it."""
_UNIX = 3
_FILE_MODE = 0o644
_COMPRESSION_LEVEL = 9
MAX_PACKAGE_BYTES = 500 * 1024 * 1024
"""What the platform's import takes at most (package format, 5)."""


def zip_bytes_to(path: Path, files: Files) -> None:
    """Write a ZIP: sorted, fixed times and modes, no folders. It is there whole, or not at all.

    Args:
        path: Where; what is there already is replaced once the new one is complete.
        files: What goes in.

    Raises:
        PackError: The folder can't be written.
    """
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            with zipfile.ZipFile(file, "w") as archive:
                for name in sorted(files):
                    archive.writestr(_entry(name), files[name], zipfile.ZIP_DEFLATED, _COMPRESSION_LEVEL)
        temporary.chmod(_FILE_MODE)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise PackError(f"{path}: it can't be written: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIXED_TIME)
    entry.create_system = _UNIX  # else Windows writes another number
    entry.external_attr = (stat.S_IFREG | _FILE_MODE) << 16
    return entry


def make_folder(folder: Path) -> None:
    """Make the output folder, and see that something can be written there.

    Raises:
        PackError: It can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PackError(f"{folder}: this folder can't be written: {error.strerror or error}") from None


def read_zip(path: Path) -> dict[str, bytes]:
    """Read a ZIP whole, and prove it while reading.

    Raises:
        PackError: It is not there, torn, too large, or has a member that would leave the folder it is unpacked in.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_odd(path, entries)
            return {entry.filename: archive.read(entry) for entry in entries}
    except FileNotFoundError:
        raise PackError(f"{path}: there is no such file") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise PackError(f"{path}: the ZIP is torn or none at all: {error}") from None
    except OSError as error:
        raise PackError(f"{path}: it can't be read: {error.strerror or error}") from None


def _refuse_odd(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > MAX_PACKAGE_BYTES:
        raise PackError(f"{path}: unpacked it has more than {MAX_PACKAGE_BYTES >> 20} MiB")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
            raise PackError(f"{path}: the member {name!r} would leave the folder it is unpacked in")
        if name in seen:
            raise PackError(f"{path}: the member {name!r} is there twice")
        seen.add(name)


def unpack(files: Files, folder: Path) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
