"""Gets the pinned wheels: from a folder, from the cache, from the package index, from content-hub. Each by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from devkit.packer.package import PackError
from devkit.packer.pins import Pin
from devkit.packer.pip_download import download_from_index
from devkit.packer.wheel import Wheel, parse_file_name, rank

_CONNECT_TIMEOUT_S = 10.0
_READ_TIMEOUT_S = 60.0
_CHUNK_BYTES = 1 << 16
_MAX_WHEEL_BYTES = 100 * 1024 * 1024

Progress = Callable[[str], None]
"""Called with a wheel's name, once for each that is there."""


@dataclass(frozen=True)
class Vendored:
    """A wheel and where it came from."""

    wheel: Wheel
    source: str


def vendor(pins: Sequence[Pin], cache: Path, folder: Path | None, progress: Progress) -> list[Vendored]:
    """Get a wheel for every pin.

    Args:
        pins: What is wanted.
        cache: Folder of wheels from earlier builds; what is downloaded goes there.
        folder: A folder to look in first, with the folders below it.
        progress: Told of every wheel.

    Returns:
        The wheels, in the pins' order.

    Raises:
        PackError: One can't be had, or does not have a pinned hash.
    """
    if folder is not None and not folder.is_dir():
        raise PackError(f"--wheels {folder}: there is no such folder")
    found: dict[str, Vendored] = {}

    def take(pin: Pin, vendored: Vendored) -> None:
        found[pin.name] = vendored
        progress(str(pin))

    given, cached = _Shelf(folder), _Shelf(cache)
    for pin in pins:
        if wheel := given.best(pin, strict=True):
            take(pin, Vendored(wheel, "--wheels"))
        elif wheel := cached.best(pin, strict=False):
            take(pin, Vendored(wheel, "cache"))
    # What is not on the index first: if it can't be had, nothing else need be downloaded.
    elsewhere = [pin for pin in pins if pin.url and pin.name not in found]
    for pin in elsewhere:
        try:
            take(pin, Vendored(_keep(cache, _fetch(pin)), "content-hub"))
        except requests.RequestException as error:
            raise PackError(_both_ways(pin, elsewhere, error)) from None
    missing = [pin for pin in pins if pin.name not in found]
    for wheel in download_from_index(missing, progress) if missing else []:
        found[wheel.name] = Vendored(_keep(cache, wheel), "package index")
    return [found[pin.name] for pin in pins]


class _Shelf:
    """The wheels in a folder, by the name and version that their file names say."""

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[tuple[str, str], list[Path]] = {}
        for path in sorted(folder.rglob("*.whl")) if folder else []:
            try:
                name, version, tags = parse_file_name(path.name)
            except PackError:
                continue
            if tags and path.is_file():
                self._files.setdefault((name, str(version)), []).append(path)

    def best(self, pin: Pin, *, strict: bool) -> Wheel | None:
        """Return the wheel of a pin that fits best.

        Args:
            pin: What is wanted.
            strict: Whether a wheel of that version with another hash is an error; otherwise it is passed over.
        """
        fitting = []
        for path in self._files.get((pin.name, str(pin.version)), []):
            tags = parse_file_name(path.name)[2]
            if rank(tags) < rank(frozenset()):
                fitting.append((rank(tags), path))
        for _, path in sorted(fitting):
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if digest in pin.hashes:
                return Wheel.read(path.name, content)
            if strict:
                raise PackError(_wrong_hash(str(path), digest, pin))
        return None


def _keep(cache: Path, wheel: Wheel) -> Wheel:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        temporary = cache / f".{wheel.file}"
        temporary.write_bytes(wheel.content)
        temporary.replace(cache / wheel.file)
    except OSError as error:
        raise PackError(f"{cache}: the cache can't be written: {error.strerror}") from None
    return wheel


def _fetch(pin: Pin) -> Wheel:
    """Download a wheel from the address that its pin names."""
    with requests.get(pin.url, stream=True, timeout=(_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S)) as response:
        response.raise_for_status()
        content = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > _MAX_WHEEL_BYTES:
                raise PackError(f"{pin.url}: this is more than {_MAX_WHEEL_BYTES >> 20} MiB, surely not {pin}")
    digest = hashlib.sha256(content).hexdigest()
    if digest not in pin.hashes:
        raise PackError(_wrong_hash(pin.url, digest, pin))
    return Wheel.read(pin.url.rpartition("/")[2], bytes(content))


def _both_ways(pin: Pin, elsewhere: Sequence[Pin], error: requests.RequestException) -> str:
    status = error.response.status_code if error.response is not None else ""
    reason = f"status {status}" if status else type(error).__name__
    return (
        f"{' and '.join(map(str, elsewhere))}: not on the package index, and {pin.url} can't be had ({reason}). Either "
        "let the build reach that address, or put the wheel into a folder, a checkout of chronicle/content-hub for "
        "example, and name the folder: --wheels FOLDER. To only look at the package, build it with --without-wheels."
    )


def _wrong_hash(where: str, digest: str, pin: Pin) -> str:
    return f"{where}: its sha256 is {digest}, which is not a pinned one of {pin}"
