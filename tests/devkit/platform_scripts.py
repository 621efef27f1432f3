"""Runs small scripts on the local platform; the tests of the SDK's contract are made of them.

Every test here holds under Google's SDK as well as under ours: which of them runs is decided by what is installed.
"""

from __future__ import annotations

import importlib.metadata
import textwrap
from pathlib import Path
from typing import Any

import pytest

from devkit.platform import sdk_in_use
from devkit.platform.process import RunningScript
from devkit.platform.results import ActionRun, ConnectorRun
from devkit.platform.runner import Platform

REPOSITORY = Path(__file__).resolve().parents[2]

TIPCOMMON = importlib.metadata.version("TIPCommon") if sdk_in_use.is_google() else "2.4.3"
"""Ours behaves like 2.4.3."""

_TIPCOMMON_MINOR = tuple(int(part) for part in TIPCOMMON.split(".")[:2])

needs_tipcommon_2_4 = pytest.mark.skipif(_TIPCOMMON_MINOR < (2, 4), reason=f"TIPCommon {TIPCOMMON} differs here")

ATTEMPT = """
def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""

ACTION = f"""
import json, os, signal, sys
from SiemplifyAction import SiemplifyAction
from SiemplifyUtils import output_handler
from ScriptResult import EXECUTION_STATE_COMPLETED, EXECUTION_STATE_FAILED
siemplify = SiemplifyAction()
{ATTEMPT}
"""

CONNECTOR = f"""
import json, os, signal, sys
from SiemplifyConnectors import SiemplifyConnectorExecution
from SiemplifyConnectorsDataModel import AlertInfo
from SiemplifyUtils import output_handler
siemplify = SiemplifyConnectorExecution()
{ATTEMPT}
"""


class Scripts:
    """Writes scripts and runs them."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self._folder = folder

    def write(self, prelude: str, body: str) -> Path:
        """Write a script."""
        path = self._folder / "script_under_test.py"
        path.write_text(prelude + textwrap.dedent(body), encoding="utf-8")
        return path

    def action(self, body: str, parameters: dict[str, Any] | None = None, **options: Any) -> ActionRun:
        """Run an action whose SDK object ``siemplify`` is made already."""
        return self.raw_action(ACTION, body, parameters, **options)

    def raw_action(
        self, prelude: str, body: str, parameters: dict[str, Any] | None = None, **options: Any
    ) -> ActionRun:
        """Run an action with a prelude of its own."""
        options = {"action_name": "Try", "integration_configuration": {"API Root": "https://api"}} | options
        return self.platform.run_action(self.write(prelude, body), parameters or {}, **options)

    def start_action(self, body: str) -> RunningScript[ActionRun]:
        """Start an action."""
        return self.platform.start_action(self.write(ACTION, body), {}, action_name="Try", integration_configuration={})

    def connector(self, body: str, params: Any = None, **options: Any) -> ConnectorRun:
        """Run a connector whose SDK object ``siemplify`` is made already."""
        options = {"identifier": "connector-1"} | options
        return self.platform.run_connector(self.write(CONNECTOR, body), params or {}, **options)

    def start_connector(self, body: str, **options: Any) -> RunningScript[ConnectorRun]:
        """Start a connector."""
        options = {"identifier": "connector-1"} | options
        return self.platform.start_connector(self.write(CONNECTOR, body), {}, **options)
