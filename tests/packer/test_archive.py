"""The ZIP: the same bytes always, whole or not there, and read with care."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import time_machine

from devkit.packer.archive import MAX_PACKAGE_BYTES, make_folder, read_zip, zip_bytes_to
from devkit.packer.assemble import assemble
from devkit.packer.package import PackError

FILES = {"b/two.py": b"2\n" * 1000, "a.def": b"{}", "b/one.py": b"1\n"}


def test_two_builds_of_different_days_machines_and_masks_have_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    with time_machine.travel("2026-01-01 10:00:00"):
        zip_bytes_to(first, assemble(repository))

    for number, path in enumerate(sorted(repository.rglob("*"), reverse=True)):
        os.utime(path, (number * 1000, number * 1000))
        if path.is_file():
            path.chmod(0o755)
    old_mask = os.umask(0o077)
    try:
        with time_machine.travel("2031-12-31 23:59:59"):
            zip_bytes_to(second, dict(reversed(assemble(repository).items())))
    finally:
        os.umask(old_mask)

    assert first.read_bytes() == second.read_bytes()


def test_line_ends_of_a_windows_checkout_make_no_difference(repository: Path) -> None:
    before = assemble(repository)
    for path in [*repository.glob("*.json"), *repository.glob("Managers/*.py"), *repository.glob("*.def")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert assemble(repository) == before


def test_members_are_sorted_deflated_and_say_nothing_of_the_machine(tmp_path: Path) -> None:
    zip_bytes_to(tmp_path / "x.zip", FILES)

    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["a.def", "b/one.py", "b/two.py"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_DEFLATED}
    assert {entry.create_system for entry in entries} == {3}
    assert read_zip(tmp_path / "x.zip") == FILES


def test_a_full_disk_leaves_no_half_zip_and_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x.zip"
    zip_bytes_to(target, {"old": b"1"})
    old = target.read_bytes()
    written: list[str] = []

    def write(self: zipfile.ZipFile, entry: Any, *_: Any) -> None:
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(entry.filename)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", write)

    with pytest.raises(PackError, match=r"x\.zip: it can't be written: No space left on device"):
        zip_bytes_to(target, FILES)

    assert target.read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_an_output_folder_that_cant_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(PackError, match=r"file/dist: this folder can't be written: Not a directory"):
        make_folder(tmp_path / "file" / "dist")


def test_a_folder_that_may_only_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("devkit.packer.archive.tempfile.TemporaryFile", refuse)

    with pytest.raises(PackError, match="dist: this folder can't be written: Permission denied"):
        make_folder(tmp_path / "dist")


@pytest.mark.parametrize("cut", [10, 200, -1, -30])
def test_a_torn_zip_is_named(tmp_path: Path, cut: int) -> None:
    target = tmp_path / "x.zip"
    zip_bytes_to(target, FILES)
    target.write_bytes(target.read_bytes()[:cut])

    with pytest.raises(PackError, match=r"x\.zip: the ZIP is torn or none at all"):
        read_zip(target)


def test_a_zip_with_a_wrong_bit_inside_is_named(tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", b"hello hello hello")
    target.write_bytes(target.read_bytes().replace(b"hello hello", b"hellO hello"))

    with pytest.raises(PackError, match=r"x\.zip: the ZIP is torn or none at all: Bad CRC-32"):
        read_zip(target)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\\x", "c:x"])
def test_a_member_that_would_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        archive.writestr(entry, b"1")

    with pytest.raises(PackError, match="would leave the folder it is unpacked in"):
        read_zip(target)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")

    with pytest.raises(PackError, match="the member 'a' is there twice"):
        read_zip(target)


def test_a_zip_that_would_unpack_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devkit.packer.archive.MAX_PACKAGE_BYTES", 1 << 20)
    zip_bytes_to(tmp_path / "x.zip", {"a": bytes((1 << 20) + 1)})

    with pytest.raises(PackError, match="unpacked it has more than 1 MiB"):
        read_zip(tmp_path / "x.zip")
    assert MAX_PACKAGE_BYTES == 500 << 20


def test_a_zip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"no\.zip: there is no such file"):
        read_zip(tmp_path / "no.zip")
