"""Rules on the scripts: they compile, import by bare name only, and everything they import is there."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from devkit.packer.package import KINDS, MANAGERS, PYTHON, Finding, Package
from devkit.packer.pins import Pin
from devkit.packer.wheel import Wheel

SDK_MODULES = frozenset(
    {
        "CaseAlertsProvider",
        "FileRetentionManager",
        "GcpTokenProvider",
        "MockConnector",
        "MockRunner",
        "OtelLoggingUtils",
        "OverflowManager",
        "PersistentFileStorageMixin",
        "ScriptResult",
        "Siemplify",
        "SiemplifyAction",
        "SiemplifyAddressProvider",
        "SiemplifyBase",
        "SiemplifyCaseWallDataModel",
        "SiemplifyConnectors",
        "SiemplifyConnectorsDataModel",
        "SiemplifyConstants",
        "SiemplifyDataModel",
        "SiemplifyExtensionTypesBase",
        "SiemplifyJob",
        "SiemplifyLogger",
        "SiemplifyLogicalOperator",
        "SiemplifyPublisherUtils",
        "SiemplifySdkConfig",
        "SiemplifyTransformer",
        "SiemplifyUtils",
        "SiemplifyVault",
        "SiemplifyVaultCyberArkPam",
        "SiemplifyVaultUtils",
        "SimulatedCasesCreator",
        "VaultProviderFactory",
    }
)
"""The platform's own modules (package format, 4)."""


def provided_by_wheels(wheels: Sequence[Wheel]) -> Set[str]:
    """Return the names that wheels can be imported by."""
    return frozenset().union(*(wheel.top_levels for wheel in wheels))


def provided_by_pins(pins: Sequence[Pin]) -> Set[str]:
    """Return the names that the pinned distributions can be imported by, as far as they are installed here.

    It stands in for the wheels while there are none. A distribution that is not installed counts by its own name.
    """
    pinned = {pin.name for pin in pins}
    names = {
        name
        for name, distributions in _installed().items()
        if any(canonicalize_name(distribution) in pinned for distribution in distributions)
    }
    return names | {pin.display_name for pin in pins}


@functools.cache
def _installed() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def code_findings(package: Package, provided: Set[str]) -> Iterator[Finding]:
    """Judge all scripts and managers.

    Args:
        package: The package.
        provided: Names that the package's wheels can be imported by.
    """
    managers = {PurePosixPath(path).stem for path in package.under(MANAGERS, ".py")}
    yield from _manager_names(package, provided)
    known = managers | provided | SDK_MODULES | sys.stdlib_module_names
    for folder in (*(kind.scripts for kind in KINDS), MANAGERS):
        for path in package.under(folder, ".py"):
            yield from _imports(path, package.files[path], known)


def _manager_names(package: Package, provided: Set[str]) -> Iterator[Finding]:
    """A manager's name is nobody else's: managers, SDK, wheels and library share one flat namespace."""
    scripts = {PurePosixPath(path).stem: path for kind in KINDS for path in package.under(kind.scripts, ".py")}
    for path in package.under(MANAGERS, ".py"):
        stem = PurePosixPath(path).stem
        if not stem.isidentifier():
            yield Finding(path, "it can't be imported: its name is no identifier")
        if stem in sys.stdlib_module_names:
            yield Finding(path, "a module of the standard library has this name")
        if stem in SDK_MODULES:
            yield Finding(path, "a module of the platform's SDK has this name")
        if stem in provided:
            yield Finding(path, "a package among the wheels has this name")
        if stem in scripts:
            yield Finding(path, f"the script {scripts[stem]} has this name too")


def _imports(path: str, content: bytes, known: Set[str]) -> Iterator[Finding]:
    try:
        tree = ast.parse(content, path, feature_version=PYTHON)
    except (SyntaxError, ValueError) as error:
        yield Finding(path, f"it does not compile: {error}")
        return
    reported = set()
    for line, module, level in sorted(_runtime_imports(tree)):
        top = module.partition(".")[0]
        if level:
            yield Finding(f"{path}:{line}", "a relative import; scripts import managers by their bare name")
        elif top == "soar_sdk":
            yield Finding(f"{path}:{line}", f"'{module}': a package imports the SDK's modules by their bare names")
        elif top not in known and top not in reported:
            reported.add(top)
            yield Finding(f"{path}:{line}", f"nothing provides '{top}': no manager, no SDK module, no wheel")


def _runtime_imports(tree: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Give each import that can happen at run time, as line, module and level of a relative import."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "", node.level
        waiting += ast.iter_child_nodes(node)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"
