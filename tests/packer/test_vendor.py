"""Wheels come from a folder, the cache, the package index or content-hub, and only with a pinned hash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from packaging.version import Version

from devkit.packer.package import PackError
from devkit.packer.pins import Pin
from devkit.packer.vendor import Vendored, vendor
from tests.packer.workshop import make_wheel, put_wheel, sha256

ONE = make_wheel("one")
TWO = make_wheel("two", requires=["one"])


class WheelServer:
    """Serves wheels over HTTP, as content-hub does."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                outer.asked.append(name)
                content = outer.files.get(name)
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/whls/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[WheelServer]:
    server = WheelServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give pip a folder for its package index, and no other."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return folder


def pin(made: tuple[str, bytes], url: str = "") -> Pin:
    name, version = made[0].split("-")[:2]
    return Pin(name, Version(version), frozenset({sha256(made[1])}), url)


def get(pins: list[Pin], cache: Path, folder: Path | None = None) -> list[tuple[str, str]]:
    told: list[str] = []
    vendored: list[Vendored] = vendor(pins, cache, folder, told.append)
    assert len(told) == len(pins)
    return [(item.wheel.file, item.source) for item in vendored]


def test_wheels_come_from_the_index_once_and_then_from_the_cache(tmp_path: Path, index: Path) -> None:
    put_wheel(index, ONE)
    put_wheel(index, TWO)
    pins = [pin(ONE), pin(TWO)]

    assert get(pins, tmp_path / "cache") == [(ONE[0], "package index"), (TWO[0], "package index")]
    for path in index.iterdir():
        path.unlink()
    assert get(pins, tmp_path / "cache") == [(ONE[0], "cache"), (TWO[0], "cache")]


def test_the_index_s_wheel_with_another_hash_is_refused(tmp_path: Path, index: Path) -> None:
    put_wheel(index, make_wheel("one", modules={"one.py": "import evil\n"}))

    with pytest.raises(PackError, match=r"one 1\.0: pip could not get the wheels: .*DO NOT MATCH THE HASHES"):
        get([pin(ONE)], tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_the_index_s_wheels_for_other_platforms_are_passed_over(tmp_path: Path, index: Path) -> None:
    mac, linux = (make_wheel("one", tag=f"cp311-cp311-{on}") for on in ("macosx_11_0_arm64", "manylinux2014_x86_64"))
    put_wheel(index, mac)
    wanted = Pin("one", Version("1.0"), frozenset({sha256(mac[1]), sha256(linux[1])}))

    with pytest.raises(PackError, match=r"one 1\.0: pip could not get the wheels: .*No matching distribution found"):
        get([wanted], tmp_path / "cache")
    put_wheel(index, linux)
    assert get([wanted], tmp_path / "cache") == [(linux[0], "package index")]


def test_without_an_index_the_message_tells_the_other_way(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="or name a folder that has the wheels: --wheels FOLDER"):
        get([pin(ONE)], tmp_path / "cache")


def test_a_wheel_of_content_hub_is_downloaded_once(tmp_path: Path, server: WheelServer) -> None:
    server.files[ONE[0]] = ONE[1]
    pins = [pin(ONE, server.url + ONE[0])]

    assert get(pins, tmp_path / "cache") == [(ONE[0], "content-hub")]
    assert get(pins, tmp_path / "cache") == [(ONE[0], "cache")]
    assert server.asked == [ONE[0]]


def test_a_wheel_of_content_hub_with_another_hash_is_refused(tmp_path: Path, server: WheelServer) -> None:
    server.files[ONE[0]] = b"something else"

    with pytest.raises(PackError) as caught:
        get([pin(ONE, server.url + ONE[0])], tmp_path / "cache")
    assert str(caught.value) == (
        f"{server.url}{ONE[0]}: its sha256 is {sha256(b'something else')}, which is not a pinned one of one 1.0"
    )
    assert not list(tmp_path.glob("cache/*"))


def test_an_endless_download_is_cut_off(tmp_path: Path, server: WheelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devkit.packer.vendor._MAX_WHEEL_BYTES", 1 << 20)
    server.files[ONE[0]] = bytes(3 << 20)

    with pytest.raises(PackError, match="this is more than 1 MiB, surely not one"):
        get([pin(ONE, server.url + ONE[0])], tmp_path / "cache")


@pytest.mark.parametrize("why", ["status 404", "ConnectionError"])
def test_a_wheel_of_content_hub_that_cant_be_had_tells_both_ways(tmp_path: Path, server: WheelServer, why: str) -> None:
    if why == "ConnectionError":
        server.close()
        server.close = lambda: None  # type: ignore[method-assign]

    with pytest.raises(PackError) as caught:
        get([pin(ONE, server.url + ONE[0])], tmp_path / "cache")
    message = str(caught.value)
    assert f"one 1.0: not on the package index, and {server.url}{ONE[0]} can't be had ({why})." in message
    assert "let the build reach that address" in message
    assert "--wheels FOLDER" in message
    assert "\n" not in message


def test_nothing_is_downloaded_from_the_index_if_content_hub_is_out_of_reach(
    tmp_path: Path, server: WheelServer, index: Path
) -> None:
    put_wheel(index, TWO)

    with pytest.raises(PackError, match="not on the package index"):
        get([pin(TWO), pin(ONE, server.url + ONE[0])], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_folder_goes_before_everything_and_its_subfolders_count(tmp_path: Path, server: WheelServer) -> None:
    put_wheel(tmp_path / "hub" / "packages" / "whls", ONE)
    put_wheel(tmp_path / "cache", ONE)
    put_wheel(tmp_path / "hub" / "packages" / "whls", make_wheel("one", "0.9"))
    (tmp_path / "hub" / "odd.whl").write_bytes(b"")

    assert get([pin(ONE, server.url + ONE[0])], tmp_path / "cache", tmp_path / "hub") == [(ONE[0], "--wheels")]
    assert server.asked == []


def test_a_wheel_in_the_folder_with_another_hash_is_an_error_not_a_reason_to_look_elsewhere(tmp_path: Path) -> None:
    path = put_wheel(tmp_path / "hub", make_wheel("one", modules={"one.py": "import evil\n"}))
    put_wheel(tmp_path / "cache", ONE)

    with pytest.raises(PackError, match=f"{path}: its sha256 is .*, which is not a pinned one of one 1.0"):
        get([pin(ONE)], tmp_path / "cache", tmp_path / "hub")


def test_a_spoilt_cache_is_not_trusted(tmp_path: Path, index: Path) -> None:
    put_wheel(tmp_path / "cache", (ONE[0], b"spoilt"))
    put_wheel(index, ONE)

    assert get([pin(ONE)], tmp_path / "cache") == [(ONE[0], "package index")]
    assert (tmp_path / "cache" / ONE[0]).read_bytes() == ONE[1]


def test_of_several_wheels_the_one_that_fits_best_is_taken(tmp_path: Path) -> None:
    plain, older, best, foreign = (
        make_wheel("one", tag=tag)
        for tag in (
            "py3-none-any",
            "cp37-abi3-manylinux2014_x86_64",
            "cp311-cp311-manylinux2014_x86_64",
            "cp311-cp311-win_amd64",
        )
    )
    for made in (plain, older, best, foreign):
        put_wheel(tmp_path / "folder", made)
    wanted = Pin("one", Version("1.0"), frozenset(sha256(made[1]) for made in (plain, older, best, foreign)))

    assert get([wanted], tmp_path / "cache", tmp_path / "folder") == [(best[0], "--wheels")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"--wheels .*/nowhere: there is no such folder"):
        get([pin(ONE)], tmp_path / "cache", tmp_path / "nowhere")


def test_a_cache_that_cant_be_written_is_named(tmp_path: Path, index: Path) -> None:
    put_wheel(index, ONE)
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(PackError, match=r"file/cache: the cache can't be written"):
        get([pin(ONE)], tmp_path / "file" / "cache")
