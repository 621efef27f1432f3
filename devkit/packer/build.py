"""Builds the ZIP: assemble, judge, vendor, judge again, write. Nothing is written unless all of it went well."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from devkit.packer.archive import make_folder, zip_bytes_to
from devkit.packer.assemble import assemble
from devkit.packer.package import DEPENDENCIES, Finding, Package
from devkit.packer.pins import Pin, read_pins
from devkit.packer.rules_code import code_findings, provided_by_wheels
from devkit.packer.rules_wheels import wheel_findings
from devkit.packer.sbom import write_sbom
from devkit.packer.vendor import Vendored, vendor
from devkit.packer.verify import tree_findings

CACHE = Path("build") / "wheels"
SBOM = "sbom.json"
INCOMPLETE = "-INCOMPLETE-without-wheels"
_SHOWN_NAME_CHARACTERS = 40


class NotInOrder(Exception):  # noqa: N818 - it says what the package is
    """The package has faults, so it is not built.

    Attributes:
        findings: What is wrong.
    """

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


@dataclass(frozen=True)
class Options:
    """How to build.

    Attributes:
        output: Folder for the ZIP.
        identifier: Another identifier than the tree's.
        certified: Leave IsCustom false.
        wheels: Folder to look for wheels in.
        without_wheels: Vendor nothing; the result is named as incomplete.
    """

    output: Path
    identifier: str = ""
    certified: bool = False
    wheels: Path | None = None
    without_wheels: bool = False


def build_package(root: Path, options: Options, console: Console) -> Path:
    """Build the package of a repository.

    Args:
        root: The repository.
        options: How.
        console: Where progress and summary go.

    Returns:
        The ZIP.

    Raises:
        PackError: Something can't be read, had or written.
        NotInOrder: The package has faults.
    """
    started = time.monotonic()
    make_folder(options.output)
    pins = read_pins(root)
    files = assemble(root, identifier=options.identifier, certified=options.certified)
    package = Package(files)
    _refuse(tree_findings(package, root, pins))
    vendored = [] if options.without_wheels else _vendor(root, pins, options.wheels, console)
    wheels = [item.wheel for item in vendored]
    if not options.without_wheels:
        _refuse([*wheel_findings(wheels, pins), *code_findings(package, provided_by_wheels(wheels))])
    files |= {f"{DEPENDENCIES}/{wheel.file}": wheel.content for wheel in wheels}
    target = options.output / f"{package.identifier}{INCOMPLETE if options.without_wheels else ''}.zip"
    zip_bytes_to(target, files)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    if wheels:
        write_sbom(options.output / SBOM, package, wheels, pins, digest)
        console.print(_table(vendored))
    size = target.stat().st_size
    console.print(
        f"{target}: {package.identifier} {package.integration['Version']}, {len(files)} files, "
        f"{len(wheels)} of them wheels, {size / 1e6:.1f} MB, {time.monotonic() - started:.1f} s",
        soft_wrap=True,
        highlight=False,
    )
    console.print(f"sha256 {digest}", soft_wrap=True, highlight=False)
    if options.without_wheels:
        console.print("It has no wheels: it is for looking at and can't be installed.")
    return target


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise NotInOrder(findings)


def _vendor(root: Path, pins: list[Pin], folder: Path | None, console: Console) -> list[Vendored]:
    columns = (TextColumn("Wheels"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(pins))

        def step(name: str) -> None:
            progress.update(task, advance=1, description=name[:_SHOWN_NAME_CHARACTERS])

        return vendor(pins, root / CACHE, folder, step)


def _table(vendored: list[Vendored]) -> Table:
    table = Table(title="What was vendored")
    table.add_column("Wheel", no_wrap=True)
    table.add_column("Version", no_wrap=True)
    table.add_column("Licence")
    table.add_column("From", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    for item in vendored:
        wheel = item.wheel
        table.add_row(wheel.display_name, str(wheel.version), wheel.licence, item.source, f"{len(wheel.content):,}")
    total = sum(len(item.wheel.content) for item in vendored)
    table.add_section()
    table.add_row(f"{len(vendored)} wheels", "", "", "", f"{total:,}")
    return table
