"""The ZIP runs: unpacked into an empty folder, in an environment made of its wheels only."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from devkit.laptop import embedded_configuration
from devkit.mimecast.mailstream import MailStream
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.packer.archive import read_zip, unpack
from devkit.packer.build import Options, build_package
from devkit.packer.clean_environment import make_environment, why_not_here
from devkit.packer.package import Package
from devkit.packer.pins import read_pins
from devkit.packer.rules_wheels import read_wheels
from devkit.packer.verify import package_findings, vendored_findings
from devkit.platform.definitions import load_package
from devkit.platform.results import ActionRun, ConnectorRun
from devkit.platform.runner import Platform
from tests.packer.workshop import REPOSITORY

HUB_WHEELS = "MIMECAST_HUB_WHEELS"
"""Names a folder that holds the wheels of TIPCommon and EnvironmentCommon, which are on no package index."""

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.skipif(HUB_WHEELS not in os.environ, reason=f"{HUB_WHEELS} names no folder with TIPCommon's wheel"),
]

MAILS = 12
MOST = 5
"""Messages a cycle: each mail gives one tracked row at least, so two cycles are full."""


@dataclass
class Unpacked:
    """A built package, unpacked, with its environment."""

    zip_file: Path
    root: Path
    python: Path


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    folder = tmp_path_factory.mktemp("package")
    options = Options(output=folder / "dist", wheels=Path(os.environ[HUB_WHEELS]))
    zip_file = build_package(REPOSITORY, options, Console(file=io.StringIO()))
    files = read_zip(zip_file)
    if reason := why_not_here(read_wheels(Package(files))[0]):
        pytest.skip(reason)
    unpack(files, folder / "empty")
    wheels = sorted((folder / "empty" / "Dependencies").glob("*.whl"))
    return Unpacked(zip_file, folder / "empty", make_environment(folder / "environment", wheels))


class Stage:
    """The unpacked package between the local platform and an embedded Mimecast."""

    def __init__(self, unpacked: Unpacked, server: MimecastServer, platform: Platform) -> None:
        self._package = load_package(unpacked.root)
        self._configuration = embedded_configuration(server.url, server.tenant.credentials)
        self._platform = platform
        # The local SDK is behind the wheels here, not before them: the package's own TIPCommon has to run.
        self._environment = {"PYTHONPATH": str(unpacked.root / "Managers"), "PYTHONDONTWRITEBYTECODE": "1"}

    def action(self, stem: str, **parameters: str) -> ActionRun:
        definition = self._package.actions[stem]
        assert definition.script
        return self._platform.run_action(
            definition.script,
            definition.fill(parameters),
            action_name=definition.name,
            integration_configuration=self._package.integration.fill(self._configuration),
            env_extra=self._environment,
        )

    def cycle(self) -> ConnectorRun:
        definition = self._package.connectors["message_tracking_connector"]
        assert definition.script
        values = self._configuration | {
            "Domains": "corp.example",
            "Status Filter": "",
            "Max Messages To Return": str(MOST),
        }
        return self._platform.run_connector(
            definition.script,
            definition.connector_params(values),
            identifier="from-the-zip",
            name=definition.name,
            env_extra=self._environment,
        )


@pytest.fixture
def stage(unpacked: Unpacked, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(sys, "executable", str(unpacked.python))  # what the platform starts scripts with
    tenant = Tenant()
    now = datetime.now(UTC)
    tenant.add(*MailStream(7, ["corp.example"]).mails(MAILS, now - timedelta(minutes=50), now - timedelta(minutes=5)))
    with MimecastServer(tenant) as server, Platform(unpacked.root) as platform:
        yield Stage(unpacked, server, platform)


def test_its_wheels_are_what_is_imported(unpacked: Unpacked) -> None:
    names = ["TIPCommon", "EnvironmentCommon", "requests", "pydantic", "cryptography"]
    code = "import importlib, sys; [print(importlib.import_module(n).__file__, file=sys.stderr) for n in sys.argv[1:]]"
    done = subprocess.run(
        [unpacked.python, "-c", code, *names], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    )

    site_packages = unpacked.python.parents[1]
    assert all(Path(line).is_relative_to(site_packages) for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) == len(names)


def test_ping(stage: Stage) -> None:
    run = stage.action("ping")

    assert run.message == ("Successfully connected to the Mimecast server with the provided connection parameters!"), (
        run.stderr
    )
    assert run.result_value is True


def test_a_search(stage: Stage) -> None:
    run = stage.action("simple_archive_search", **{"Time Frame": "Last 6 Hours"})

    assert run.result_value is True, run.message + run.stderr
    assert run.message == "Successfully found archive emails for the provided criteria in Mimecast."
    assert run.json_result


def test_two_connector_cycles(stage: Stage) -> None:
    first, second = stage.cycle(), stage.cycle()

    assert first.envelope is not None, first.reason + first.stderr
    tickets = [[alert["ticket_id"] for alert in run.alerts] for run in (first, second)]
    assert [len(numbers) for numbers in tickets] == [MOST, MOST]
    assert not set(tickets[0]) & set(tickets[1])


def test_the_verifier_finds_nothing_wrong_and_tries_the_environment(unpacked: Unpacked) -> None:
    package, pins = Package(read_zip(unpacked.zip_file)), read_pins(REPOSITORY)

    assert package_findings(package, pins) == []
    assert vendored_findings(package, pins) == ([], "")


def test_another_build_has_the_same_bytes(unpacked: Unpacked, tmp_path: Path) -> None:
    options = Options(output=tmp_path, wheels=Path(os.environ[HUB_WHEELS]))

    again = build_package(REPOSITORY, options, Console(file=io.StringIO()))

    assert again.read_bytes() == unpacked.zip_file.read_bytes()
    assert (tmp_path / "sbom.json").read_bytes() == unpacked.zip_file.with_name("sbom.json").read_bytes()
