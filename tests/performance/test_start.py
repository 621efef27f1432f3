"""Nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from devkit.laptop import ROOT, Laptop, embedded_configuration
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.platform import sdk_in_use

ACTIONS = sorted(path.stem for path in (ROOT / "ActionsScripts").glob("*.py"))
CONNECTOR = "message_tracking_connector"
FOR_FEW_RUNS = {"tenacity", "dateutil", "TIPCommon"}
"""Retries, odd times, new alerts: most runs have none of them."""
PATIENCE_S = 60


def imported_by(module: str) -> set[str]:
    """Top-level modules that a script brings in beyond the SDK and requests."""
    code = (
        "import sys, json, SiemplifyAction, SiemplifyConnectors, requests; before = set(sys.modules)\n"
        f"import {module}\n"
        "sys.__stdout__.write(json.dumps(sorted({n.partition('.')[0] for n in set(sys.modules) - before})))"
    )
    folders = [ROOT / "ActionsScripts", ROOT / "ConnectorsScripts", ROOT / "Managers", *sdk_in_use.paths()]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("script", [*ACTIONS, CONNECTOR])
def test_a_script_imports_nothing_that_only_few_of_its_runs_need(script: str) -> None:
    assert imported_by(script) & FOR_FEW_RUNS == set()


def test_the_connector_needs_nothing_of_the_actions() -> None:
    assert imported_by(CONNECTOR) & {"MimecastAction", "MimecastActionParameters", "defusedxml"} == set()


@pytest.mark.parametrize("action", ["ping", "block_sender"])
def test_an_action_asks_the_platform_for_the_configuration_once(action: str) -> None:
    with (
        MimecastServer(Tenant()) as server,
        Laptop(embedded_configuration(server.url, server.tenant.credentials)) as laptop,
    ):
        values = {"Sender": "a@sender.example", "Recipient": "b@corp.example"} if action == "block_sender" else {}
        run = laptop.action(action, values)
    assert run.result_value is True
    assert run.platform_calls["configuration"] == 1
    assert server.tenant.count() == 1
