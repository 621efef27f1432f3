"""The packer's commands: ``build``, ``check`` and ``version``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from devkit.packer.archive import read_zip
from devkit.packer.assemble import assemble
from devkit.packer.build import NotInOrder, Options, build_package
from devkit.packer.package import Finding, Package, PackError
from devkit.packer.pins import read_pins
from devkit.packer.verify import package_findings, tree_findings, vendored_findings
from devkit.packer.version import raise_version

ROOT = Path(__file__).resolve().parents[2]
DIST = Path("dist")


def build(
    certified: Annotated[
        bool, typer.Option("--certified", help="Leave IsCustom false, as Google's own repository wants it.")
    ] = False,
    identifier: Annotated[
        str, typer.Option(metavar="NAME", help="Another identifier, to stand beside the official integration.")
    ] = "",
    wheels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Look for wheels in this folder, and below it, first.")
    ] = None,
    without_wheels: Annotated[
        bool, typer.Option("--without-wheels", help="No wheels: an incomplete package, for looking at.")
    ] = False,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the ZIP and sbom.json.")] = DIST,
) -> None:
    """Build the ZIP for the marketplace."""
    options = Options(
        output=output, identifier=identifier, certified=certified, wheels=wheels, without_wheels=without_wheels
    )
    try:
        build_package(ROOT, options, Console())
    except NotInOrder as error:
        _stop(error.findings, "nothing was built")
    except PackError as error:
        _fail(error)


def check(
    zip_file: Annotated[
        Path | None, typer.Argument(metavar="[ZIP]", help="A built package; without it the repository's tree.")
    ] = None,
) -> None:
    """Verify a built package, or the repository's tree; no network."""
    try:
        pins = read_pins(ROOT)
        if zip_file is None:
            package = Package(assemble(ROOT))
            findings = tree_findings(package, ROOT, pins)
            note = "the tree, without wheels; a ZIP is checked with them: check dist/<Identifier>.zip"
        else:
            package = Package(read_zip(zip_file))
            findings = package_findings(package, pins)
            more, not_tried = vendored_findings(package, pins)
            findings += more
            note = f"{zip_file}; " + (
                f"not imported in a clean environment: {not_tried}"
                if not_tried
                else "its scripts were imported in an environment made of its wheels alone"
            )
    except PackError as error:
        _fail(error)
    if findings:
        _stop(findings, note)
    typer.echo(f"check: {len(package.files)} files, nothing wrong ({note})")


def bump_version(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The new version, such as 10.0.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What has changed, for the release notes.")],
) -> None:
    """Raise the version in the definition, the release notes and the project file."""
    try:
        changed = raise_version(ROOT, version, note, datetime.now(UTC).date())
    except PackError as error:
        _fail(error)
    typer.echo(f"version {version}: {', '.join(changed)}. CHANGELOG.md is yours to write.")


def _fail(error: PackError) -> None:
    typer.echo(str(error), err=True)
    raise typer.Exit(1) from None


def _stop(findings: list[Finding], note: str) -> None:
    for finding in sorted(findings):
        typer.echo(str(finding))
    typer.echo(f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'}; {note}", err=True)
    raise typer.Exit(1)
