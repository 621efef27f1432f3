"""The verifier: every rule, one finding for each thing that is wrong, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from devkit.packer import rules_content, rules_definitions, rules_layout
from devkit.packer.clean_environment import import_findings, why_not_here
from devkit.packer.event_terms import EventTerms, event_terms
from devkit.packer.package import DEPENDENCIES, MANAGERS, Finding, Package, PackError
from devkit.packer.pins import Pin
from devkit.packer.rules_code import code_findings, provided_by_pins, provided_by_wheels
from devkit.packer.rules_source import source_findings
from devkit.packer.rules_wheels import read_wheels, wheel_findings

Rule = Callable[[Package], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    rules_layout.root_is_the_package,
    rules_layout.nothing_else_is_in_it,
    rules_layout.script_and_definition_belong_together,
    rules_layout.needed_files_are_there,
    rules_definitions.readable,
    rules_definitions.format_is_kept,
    rules_definitions.identifiers_agree,
    rules_definitions.names_are_unique,
    rules_definitions.platform_needs_are_there,
    rules_definitions.release_notes_fit,
    rules_definitions.details_agree,
    rules_definitions.ai_descriptions_are_complete,
    rules_content.pictures_are_readable,
    rules_content.examples_are_json,
)
"""What can be told from the package's files alone."""


def package_findings(package: Package, pins: Sequence[Pin], terms: EventTerms | None = None) -> list[Finding]:
    """Judge a package without its wheels.

    Args:
        package: The package.
        pins: The pinned wheels; what they provide may be imported.
        terms: Event type to the keys of such events; None to ask the package's managers.

    Returns:
        What is wrong; nothing if all is well.
    """
    findings = [finding for rule in RULES for finding in rule(package)]
    wheels, _ = read_wheels(package)
    findings += code_findings(package, provided_by_wheels(wheels) if wheels else provided_by_pins(pins))
    try:
        findings += rules_content.mapping_terms_exist(package, event_terms(package) if terms is None else terms)
    except PackError as error:
        findings.append(Finding(MANAGERS, str(error)))
    return findings


def tree_findings(package: Package, root: Path, pins: Sequence[Pin], terms: EventTerms | None = None) -> list[Finding]:
    """Judge what a repository's tree gives, and whether the tree agrees with it.

    Args:
        package: The package, assembled from the tree.
        root: The repository.
        pins: The pinned wheels.
        terms: As for ``package_findings``.
    """
    return package_findings(package, pins, terms) + list(source_findings(package, root))


def vendored_findings(package: Package, pins: Sequence[Pin]) -> tuple[list[Finding], str]:
    """Judge the wheels in a package, and import its scripts in an environment made of them alone.

    Args:
        package: The package.
        pins: The pinned wheels.

    Returns:
        What is wrong, and why the environment could not be tried; empty if it could.
    """
    wheels, findings = read_wheels(package)
    if not wheels and not findings:
        return [Finding(DEPENDENCIES, "there are no wheels in it: this package can't be installed")], ""
    findings += wheel_findings(wheels, pins)
    if findings:
        return findings, "the wheels are not in order"
    reason = why_not_here(wheels)
    return ([], reason) if reason else (list(import_findings(package)), "")
