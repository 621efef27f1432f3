"""The workbench's commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.table import Table

from bench.commands import bench
from devkit.demo import run_demo
from devkit.laptop import (
    CONNECTOR,
    ROOT,
    ConfigurationFileError,
    Laptop,
    embedded_configuration,
    read_configuration_file,
)
from devkit.mimecast.mailstream import MailStream
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.packer import commands as packer
from devkit.platform import sdk_in_use
from devkit.platform.definitions import Definition, DefinitionError, load_package
from devkit.platform.results import ActionRun, ConnectorRun

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command()(packer.build)
app.command()(packer.check)
app.command("version")(packer.bump_version)
app.command()(bench)
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
_EMBEDDED_MAILS = 40
_CONNECTOR_WORD = "connector"
_QUICK_TESTS = ("-n", "auto", "-m", "not sweep")
PICTURE_WIDTH = 130
_SVG_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's own, without the fonts that it would fetch from the internet."""

Param = Annotated[list[str] | None, typer.Option("--param", help='"Name=value"; may be given several times.')]


@app.command()
def demo(
    picture: Annotated[Path | None, typer.Option(help="Also write what is shown as an SVG picture.")] = None,
) -> None:
    """Show the main job on the embedded Mimecast: connector cycles while mail arrives, and the actions."""
    console = Console(record=picture is not None, width=PICTURE_WIDTH if picture else None)
    status = run_demo(console)
    if picture is not None:
        console.save_svg(str(picture), title="python3 dev.py demo", code_format=_SVG_FORMAT)
    raise typer.Exit(status)


@app.command()
def run(
    script: Annotated[str, typer.Argument(help="An action's file stem, or: connector")] = "",
    list_scripts: Annotated[bool, typer.Option("--list", help="Show scripts and parameters.")] = False,
    param: Param = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file with a real tenant's configuration; see config.example.json.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="File that keeps the connector's state; needed with a real tenant.")
    ] = None,
    cycles: Annotated[int, typer.Option(min=1, help="How many connector cycles.")] = 1,
    test_run: Annotated[bool, typer.Option("--test-run", help="As with “Run connector once”.")] = False,
    oauth: Annotated[bool, typer.Option("--oauth", help="Sign in to the embedded Mimecast with API 2.0.")] = False,
) -> None:
    """Run an action or the connector, on the embedded Mimecast or on a real tenant."""
    console = Console()
    try:
        package = load_package(ROOT)
        known = {**package.actions, _CONNECTOR_WORD: package.connectors[CONNECTOR]}
        if list_scripts:
            _list(console, package.integration, known)
            return
        if script not in known:
            _stop(f"There is no script {script!r}. Scripts: {', '.join(known)}.")
        values = _parameters(param or [])
        if config is not None:
            if script == _CONNECTOR_WORD and state is None and not test_run:
                _stop("With a real tenant, name the file for the connector's state: --state FILE.")
            good = _run(console, read_configuration_file(config), state, script, values, cycles, test_run)
        else:
            with MimecastServer(_embedded_tenant()) as server:
                configuration = embedded_configuration(server.url, server.tenant.credentials, oauth=oauth)
                if script == _CONNECTOR_WORD:
                    values = {"Domains": "corp.example"} | values
                good = _run(console, configuration, state, script, values, cycles, test_run)
    except (DefinitionError, ConfigurationFileError) as error:
        _stop(str(error))
    raise typer.Exit(0 if good else 1)


@app.command()
def serve(
    seed: Annotated[int, typer.Option(help="Seed of the mail that is there.")] = 1,
    mails: Annotated[int, typer.Option(min=0, help="How many mails are there.")] = _EMBEDDED_MAILS,
) -> None:
    """Run the embedded Mimecast alone and print its address and credentials; ends with Ctrl-C."""
    with MimecastServer(_embedded_tenant(seed, mails)) as server:
        credentials = server.tenant.credentials
        print(json.dumps({"url": server.url, "credentials": vars(credentials)}, indent=2), flush=True)
        example = (
            f"TOKEN=$(curl -s {server.url}/oauth/token -d grant_type=client_credentials "
            f"-d client_id={credentials.client_id} -d client_secret={credentials.client_secret} "
            "| python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')\n"
            f'curl -s {server.url}/api/account/get-account -H "Authorization: Bearer $TOKEN" '
            "-H 'Content-Type: application/json' -d '{\"data\": []}'"
        )
        print(f"Try it:\n{example}\nCtrl-C ends it.", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


@app.command()
def sdk() -> None:
    """Say which SOAR SDK the scripts run under: Google's if it is installed in the environment, else our own."""
    print(sdk_in_use.describe())


@app.command(context_settings=_PASS_ON)
def test(context: typer.Context) -> None:
    """Run the tests; arguments go to pytest. Without any, all but the long sweeps run."""
    raise typer.Exit(_python("-m", "pytest", *(context.args or _QUICK_TESTS)))


@app.command()
def lint() -> None:
    """Check style and types."""
    failed = 0
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        failed |= _python("-m", *command)
    raise typer.Exit(1 if failed else 0)


def _python(*arguments: str) -> int:
    return subprocess.run(  # noqa: S603 - our own interpreter; the user's own arguments
        [sys.executable, *arguments], cwd=ROOT, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ).returncode


def _stop(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(2)


def _embedded_tenant(seed: int = 1, mails: int = _EMBEDDED_MAILS) -> Tenant:
    tenant = Tenant()
    now = datetime.now(UTC)
    stream = MailStream(seed, domains=("corp.example",))
    tenant.add(*stream.mails(mails, now - timedelta(minutes=55), now - timedelta(minutes=1)))
    return tenant


def _parameters(given: list[str]) -> dict[str, str]:
    values = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator:
            _stop(f'--param takes "Name=value"; {item!r} has no equals sign.')
        values[name.strip()] = value
    return values


def _run(
    console: Console,
    configuration: dict[str, str],
    state: Path | None,
    script: str,
    values: dict[str, str],
    cycles: int,
    test_run: bool,
) -> bool:
    with Laptop(configuration, state) as laptop:
        if script == _CONNECTOR_WORD:
            good = [_show_connector(console, laptop.connector(values, test_run=test_run)) for _ in range(cycles)]
            return all(good)
        return _show_action(console, laptop.action(script, values))


def _show_action(console: Console, action: ActionRun) -> bool:
    if action.envelope is None:
        console.print(f"No result: {action.reason}", style="red")
        return False
    console.print(f"{action.result_value}: {action.message}", markup=False)
    for title, lines in action.tables.items():
        console.print(f"Table {title}:", *lines, sep="\n", markup=False)
    if action.json_result is not None:
        console.print_json(data=action.json_result)
    return action.result_value is True


def _show_connector(console: Console, cycle: ConnectorRun) -> bool:
    if cycle.envelope is None:
        console.print(f"No result: {cycle.reason}", style="red")
        return False
    for row in cycle.log_rows:
        console.print(row["message"], markup=False)
    for alert in cycle.alerts:
        event = alert["events"][0]
        console.print(f"  {alert['name']}: {event['sender']} → {event['recipient']}: {event['subject']}", markup=False)
    console.print(f"{len(cycle.alerts)} alerts, {cycle.seconds:.1f} s", markup=False)
    return True


def _list(console: Console, integration: Definition, scripts: dict[str, Definition]) -> None:
    for title, definition in {"configuration (--config)": integration, **scripts}.items():
        table = Table("parameter", "type", "default", "mandatory", "options", title=f"{title}: {definition.name}")
        for parameter in definition.parameters:
            table.add_row(
                parameter.name,
                parameter.type_name,
                parameter.default,
                "yes" if parameter.mandatory else "",
                ", ".join(parameter.options),
            )
        console.print(table)
