"""The local platform: runs actions and connectors as the real one does, each in a process of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from devkit.platform import sdk_in_use
from devkit.platform.kill import Kill, Killer
from devkit.platform.process import RunningScript
from devkit.platform.results import ActionRun, ConnectorRun, ScriptRun
from devkit.platform.server import PlatformServer

INTEGRATION = "Mimecast"
ACTION_TIMEOUT_S = 600.0
CONNECTOR_TIMEOUT_S = 180.0
"""For a connector without the parameter PythonProcessTimeout."""

FIRST_CASE = 1
_MAX_JSON_RESULT_MIB = 15
_STRING_TYPE = 2
_SCRIPT_MODE = 2
_FOREIGN_VARIABLES = ("PYTHONPATH", "CLIENT_ADDRESS", "NO_PROXY")
_LOOPBACK = "localhost,127.0.0.1"

Run = TypeVar("Run", bound=ScriptRun)


class Platform:
    """Owns the server with its state, and starts scripts. Use it as a context manager, or call ``close``.

    One script at a time: the counts of calls are those of the server.

    Args:
        root: The package's root; its ``Managers`` are on the scripts' path.
        database: File for the state; None keeps it in memory.

    Attributes:
        server: Settings, state, counts and faults.
    """

    def __init__(self, root: Path, database: Path | None = None) -> None:
        self._path = os.pathsep.join(str(path) for path in [root / "Managers", *sdk_in_use.paths()])
        self._folder = tempfile.TemporaryDirectory(prefix="soar-", ignore_cleanup_errors=True)
        self.server = PlatformServer(database)

    def close(self) -> None:
        """Stop the server and remove the scripts' working folder."""
        self.server.close()
        self._folder.cleanup()

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Where scripts work."""
        return Path(self._folder.name)

    def run_action(
        self,
        script_path: Path,
        parameters: Mapping[str, str],
        *,
        action_name: str,
        integration_configuration: Mapping[str, str],
        timeout_s: float = ACTION_TIMEOUT_S,
        entities: Sequence[tuple[str, str]] = (),
        case_id: int = FIRST_CASE,
        use_proxy: bool = False,
        env_extra: Mapping[str, str] | None = None,
    ) -> ActionRun:
        """Run an action to its end.

        Args:
            script_path: The script.
            parameters: The action's parameters, all as texts.
            action_name: Its display name.
            integration_configuration: The integration's parameters, all as texts.
            timeout_s: When the platform stops it.
            entities: Target entities as (identifier, type).
            case_id: The case it runs on; 0 for none.
            use_proxy: Whether the platform's proxy settings apply to the integration.
            env_extra: Additional environment variables.
        """
        return self.start_action(
            script_path,
            parameters,
            action_name=action_name,
            integration_configuration=integration_configuration,
            timeout_s=timeout_s,
            entities=entities,
            case_id=case_id,
            use_proxy=use_proxy,
            env_extra=env_extra,
        ).finish()

    def start_action(
        self,
        script_path: Path,
        parameters: Mapping[str, str],
        *,
        action_name: str,
        integration_configuration: Mapping[str, str],
        timeout_s: float = ACTION_TIMEOUT_S,
        entities: Sequence[tuple[str, str]] = (),
        case_id: int = FIRST_CASE,
        use_proxy: bool = False,
        env_extra: Mapping[str, str] | None = None,
    ) -> RunningScript[ActionRun]:
        """Start an action; the arguments are those of ``run_action``."""
        self.server.settings = dataclasses.replace(
            self.server.settings,
            integration_configuration=dict(integration_configuration),
            case_id=str(case_id),
            entities=list(entities),
        )
        context = {
            "target_entities": [{"item1": identifier, "item2": kind} for identifier, kind in entities],
            "case_id": case_id,
            "alert_id": self.server.settings.alert_id,
            "environment": self.server.settings.environment,
            "workflow_id": "local",
            "workflow_instance_id": None,
            "parent_workflow_instance_id": None,
            "parameters": dict(parameters),
            "integration_identifier": INTEGRATION,
            "integration_instance": f"{INTEGRATION}-instance",
            "action_definition_name": action_name,
            "original_requesting_user": "local",
            "execution_deadline_unix_time_ms": round((time.time() + timeout_s) * 1000),
            "default_result_value": "",
            "use_proxy_settings": use_proxy,
            "max_json_result_size": _MAX_JSON_RESULT_MIB,
            "vault_settings": None,
            "environment_api_key": None,
        }
        return self._start(ActionRun, script_path, [self.server.api_key], context, timeout_s, env_extra)

    def run_connector(
        self,
        script_path: Path,
        params: Mapping[str, str] | list[dict[str, Any]],
        *,
        identifier: str,
        name: str = "",
        allow_list: Sequence[str] | None = None,
        test_run: bool = False,
        timeout_s: float | None = None,
        env_extra: Mapping[str, str] | None = None,
        kill: Kill | None = None,
    ) -> ConnectorRun:
        """Run one cycle of a connector to its end.

        Args:
            script_path: The script.
            params: Names and texts, or the list that ``Definition.connector_params`` makes.
            identifier: Key of the connector's state; a second instance has another one.
            name: Display name of its definition.
            allow_list: The dynamic list.
            test_run: As with "Run connector once".
            timeout_s: When the platform stops it; None for what the parameter PythonProcessTimeout says.
            env_extra: Additional environment variables.
            kill: Kill it at a certain call to the platform.
        """
        killer = Killer(self.server, kill) if kill else None
        running = self.start_connector(
            script_path,
            params,
            identifier=identifier,
            name=name,
            allow_list=allow_list,
            test_run=test_run,
            timeout_s=timeout_s,
            env_extra=env_extra,
        )
        if killer is None:
            return running.finish()
        killer.arm(running)
        try:
            return running.finish()
        finally:
            killer.stop()

    def start_connector(
        self,
        script_path: Path,
        params: Mapping[str, str] | list[dict[str, Any]],
        *,
        identifier: str,
        name: str = "",
        allow_list: Sequence[str] | None = None,
        test_run: bool = False,
        timeout_s: float | None = None,
        env_extra: Mapping[str, str] | None = None,
    ) -> RunningScript[ConnectorRun]:
        """Start one cycle of a connector; the arguments are those of ``run_connector``."""
        given = _plain_params(params) if isinstance(params, Mapping) else params
        values = {param["param_name"]: param["param_value"] for param in given}
        if timeout_s is None:
            timeout_s = float(values.get("PythonProcessTimeout") or CONNECTOR_TIMEOUT_S)
        context = {
            "connector_info": {
                "environment": self.server.settings.environment,
                "integration": INTEGRATION,
                "connector_definition_name": name or script_path.stem,
                "identifier": identifier,
                "display_name": name or script_path.stem,
                "description": "",
                "result_data_type": 1,
                "is_locally_scheduled_remote_connector": False,
                "params": given,
                "allow_list": list(allow_list or []),
            },
            "vault_settings": None,
            "environment_api_key": None,
            "connector_api_key": None,
        }
        arguments = [str(not test_run), self.server.api_key]
        return self._start(ConnectorRun, script_path, arguments, context, timeout_s, env_extra)

    def _start(
        self,
        kind: type[Run],
        script: Path,
        arguments: list[str],
        context: dict[str, Any],
        timeout_s: float,
        env_extra: Mapping[str, str] | None,
    ) -> RunningScript[Run]:
        before = self.server.calls.copy()

        def complete(run: ScriptRun) -> Run:
            fields = {item.name: getattr(run, item.name) for item in dataclasses.fields(run)}
            return kind(**{**fields, "platform_calls": self.server.calls - before})

        return RunningScript(
            [sys.executable, str(script.resolve()), *arguments, f"--logPath={self.folder / 'script.log'}"],
            json.dumps(context).encode(),
            self._environment() | dict(env_extra or {}),
            self.folder,
            timeout_s,
            complete,
        )

    def _environment(self) -> dict[str, str]:
        """Return this process's environment as the platform's: with its address, and nothing of another platform.

        A proxy of this machine stays in force, but never for loopback: a lower-case ``no_proxy`` is what the SDK
        itself sets, so the SDK can still replace it.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in _FOREIGN_VARIABLES and not name.startswith("ONE_PLATFORM_URL")
        }
        direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        return inherited | {
            "APP_IP": "127.0.0.1",
            "APP_PORT": str(self.server.port),
            "APP_USE_SSL": "False",
            "PYTHONPATH": self._path,
            "no_proxy": f"{direct},{_LOOPBACK}" if direct else _LOOPBACK,
        }


def _plain_params(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "param_name": name,
            "param_value": value,
            "type": _STRING_TYPE,
            "mode": _SCRIPT_MODE,
            "is_mandatory": False,
        }
        for name, value in values.items()
    ]
