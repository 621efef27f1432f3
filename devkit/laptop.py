"""Scripts on a laptop: the local platform on one side, an embedded Mimecast or a real tenant on the other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devkit.mimecast.tenant import Credentials
from devkit.platform.definitions import Definition, Package, load_package
from devkit.platform.results import ActionRun, ConnectorRun
from devkit.platform.runner import Platform

ROOT = Path(__file__).resolve().parent.parent
CONNECTOR = "message_tracking_connector"
ENVIRONMENT_PREFIX = "env:"
"""A value of a configuration file that begins so is the name of an environment variable that holds the real one."""


class ConfigurationFileError(Exception):
    """The file with a tenant's configuration can't be used."""


def embedded_configuration(url: str, credentials: Credentials, *, oauth: bool = False) -> dict[str, str]:
    """The integration's configuration for an embedded Mimecast.

    Args:
        url: Where it listens.
        credentials: What it accepts.
        oauth: Whether to sign in with API 2.0.
    """
    values = {"API Root": url, "Verify SSL": "true"}
    if oauth:
        return values | {"Client ID": credentials.client_id, "Client Secret": credentials.client_secret}
    return values | {
        "Application ID": credentials.application_id,
        "Application Key": credentials.application_key,
        "Access Key": credentials.access_key,
        "Secret Key": credentials.secret_key,
    }


def read_configuration_file(path: Path) -> dict[str, str]:
    """Read a tenant's configuration: a JSON object of display names and values.

    Raises:
        ConfigurationFileError: It can't be read, or an environment variable that it names isn't set.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationFileError(f"{path} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigurationFileError(f"{path} is no JSON: {error}.") from None
    if not isinstance(document, dict):
        raise ConfigurationFileError(f"{path} should hold one JSON object of parameter names and values.")
    values: dict[str, str] = {}
    for name, value in document.items():
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        if text.startswith(ENVIRONMENT_PREFIX):
            variable = text.removeprefix(ENVIRONMENT_PREFIX)
            if variable not in os.environ:
                raise ConfigurationFileError(f'{path}: "{name}" asks for the variable {variable}, which is not set.')
            text = os.environ[variable]
        values[name] = text
    return values


class Laptop:
    """The package of this repository on the local platform.

    Args:
        configuration: The integration's configuration.
        state: File that keeps the platform's state; None: in memory.
        identifier: Key of the connector's state.
    """

    def __init__(
        self, configuration: Mapping[str, str], state: Path | None = None, identifier: str = "local-connector"
    ) -> None:
        self.package: Package = load_package(ROOT)
        self.platform = Platform(ROOT, state)
        self._configuration = dict(configuration)
        self._identifier = identifier

    def __enter__(self) -> Laptop:
        return self

    def __exit__(self, *_: object) -> None:
        self.platform.close()

    def action(self, stem: str, parameters: Mapping[str, str] | None = None) -> ActionRun:
        """Run an action as a playbook would.

        Raises:
            DefinitionError: It has no such parameter.
        """
        definition = self.package.actions[stem]
        assert definition.script is not None  # noqa: S101 - actions have scripts, the loader sees to it
        return self.platform.run_action(
            definition.script,
            definition.fill(parameters or {}),
            action_name=definition.name,
            integration_configuration=self.package.integration.fill(self._configuration),
        )

    def connector(self, parameters: Mapping[str, str], *, test_run: bool = False) -> ConnectorRun:
        """Run one cycle of the connector as the scheduler would.

        Raises:
            DefinitionError: It has no such parameter.
        """
        definition = self.connector_definition
        assert definition.script is not None  # noqa: S101 - connectors have scripts, the loader sees to it
        return self.platform.run_connector(
            definition.script,
            definition.connector_params(self._configuration | dict(parameters)),
            identifier=self._identifier,
            name=definition.name,
            test_run=test_run,
        )

    @property
    def connector_definition(self) -> Definition:
        """The connector's definition."""
        return self.package.connectors[CONNECTOR]
