"""Fills the gaps of the workbench's SDK for the real TIPCommon, which imports more of the platform than it uses.

The workbench's SDK has what the package's scripts need. TIPCommon imports modules and names of jobs, vaults and
entities when it starts, whatever is used of it. This file lies in the site-packages of a clean environment and gives
such names as empty classes; using one of them fails.
"""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_PREFIXES = ("Siemplify", "ScriptResult", "OverflowManager")


class _Gap(type):
    """An empty class: its attributes are their own names, so that enumerations can be made of them."""

    def __getattr__(cls, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


def _gap(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return _Gap(name, (), {})


class _Filled(importlib.abc.Loader):
    """Loads a module as it is, if it is there, and answers for names that it lacks."""

    def __init__(self, inner: importlib.abc.Loader | None) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec) if self._inner else None

    def exec_module(self, module: ModuleType) -> None:
        if self._inner:
            self._inner.exec_module(module)
        module.__dict__.setdefault("__getattr__", _gap)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIXES):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return ModuleSpec(fullname, _Filled(None))
        spec.loader = _Filled(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
