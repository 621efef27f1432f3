"""The SDK object of an action."""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import SiemplifyUtils
from ScriptResult import EXECUTION_STATE_COMPLETED, EXECUTION_STATE_FAILED, ScriptResult
from SiemplifyBase import SiemplifyBase
from SiemplifyDataModel import Alert, Attachment, DomainEntityInfo
from SiemplifyUtils import extract_script_param, unix_now

SiemplifyUtils.override_stdout()

_CASE_CONTEXT = 1
_ALERT_CONTEXT = 2
_DEFAULT_MAX_JSON_RESULT_MIB = 15


class SiemplifyAction(SiemplifyBase):
    """Reads the action's context from standard input; ``end`` writes its result.

    Raises:
        KeyError: A mandatory key of the context is missing.
    """

    def __init__(self) -> None:
        super().__init__(key_position=1)
        context = self.read_stdin()
        self.context_data = context
        self.target_entity_ids = [(entity["item1"], entity["item2"]) for entity in context["target_entities"]]
        self.result = ScriptResult(self.target_entity_ids)
        self.case_id = context["case_id"]
        self.alert_id = context["alert_id"]
        self._environment: str = context["environment"]
        self.workflow_id = context["workflow_id"]
        self.workflow_instance_id = context.get("workflow_instance_id")
        self.parent_workflow_instance_id = context.get("parent_workflow_instance_id")
        self.parameters: dict[str, Any] = dict(context["parameters"] or {})
        self.integration_identifier = context["integration_identifier"]
        self.integration_instance = context["integration_instance"]
        self.action_definition_name = context["action_definition_name"]
        self.original_requesting_user = context["original_requesting_user"]
        self.execution_deadline_unix_time_ms = context.get("execution_deadline_unix_time_ms", 0)
        self.async_polling_interval_in_sec = context.get("async_polling_interval_in_sec", 0)
        self.async_total_duration_deadline = context.get("async_total_duration_deadline", 0)
        self.script_timeout_deadline = context.get("script_timeout_deadline", self.execution_deadline_unix_time_ms)
        self.default_result_value = context["default_result_value"]
        self.use_proxy_settings = context.get("use_proxy_settings", False)
        self.max_json_result_size = context.get("max_json_result_size", _DEFAULT_MAX_JSON_RESULT_MIB)
        self._temp_folder: str | None = None
        if self.use_proxy_settings:
            SiemplifyUtils.set_proxy_state(self.call_server("GET", "GetProxySettings?format=snake").json())

    @property
    def is_timeout_reached(self) -> bool:
        """Whether the action's deadline has passed."""
        if not self.execution_deadline_unix_time_ms:
            raise Exception("execution_deadline_unix_time_ms is None")
        return bool(unix_now() >= self.execution_deadline_unix_time_ms)

    @cached_property
    def _case_metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = self.call_server("GET", f"CaseMetadata/{self.case_id}?format=snake").json()
        return metadata

    @property
    def environment(self) -> str:
        """The case's environment, asked from the server once; without a case the one of the context."""
        if self.case_id is not None and int(self.case_id) > 0:
            return str(self._case_metadata["environment"])
        return self._environment

    @cached_property
    def current_alert(self) -> Alert | None:
        """The alert the action runs on, or None."""
        body = {"case_id": self.case_id, "alert_id_str": self.alert_id, "populate_original_file": False}
        try:
            alert = self.call_server("POST", "AlertFullDetails?format=snake", body).json()
        except Exception as error:  # noqa: BLE001 - an alert that cannot be read is no alert, as on the platform
            self.LOGGER.error(f"Error getting current alert. Exception: {error}")
            return None
        return Alert(**alert) if alert else None

    @cached_property
    def target_entities(self) -> list[DomainEntityInfo]:
        """The entities the action runs on: those of the alert (of the whole case without one) named in the context."""
        if self.current_alert:
            alerts = [self.current_alert]
        else:
            _ = self._case_metadata  # the platform asks for the case first
            answer = self.call_server("GET", f"AlertsFullDetails/{self.case_id}/False?format=snake").json()
            alerts = [Alert(**alert) for alert in answer]
        targets: dict[tuple[str, str], DomainEntityInfo] = {}
        for alert in alerts:
            for entity in alert.entities:
                key = (entity.identifier, entity.entity_type)
                if key in self.target_entity_ids:
                    targets.setdefault(key, entity)
        return list(targets.values())

    def update_entities(self, updated_entities: list[DomainEntityInfo]) -> None:
        """Send changed entities back."""
        self.call_server("POST", "UpdateEntities?format=snake", [entity.to_dict() for entity in updated_entities])

    def get_configuration(
        self,
        provider: str,
        environment: str | None = None,  # the platform replaces it by the action's own
        integration_instance: str | None = None,  # the same
    ) -> dict[str, Any]:
        """Return the integration's configuration; asks the server at every call."""
        _ = self.environment  # the platform asks for the case first
        self.LOGGER.info("Reading configuration from Server")
        identifier = self.integration_instance or provider
        configuration: dict[str, Any] = self.call_server("GET", f"configuration/{identifier}?format=snake").json()
        return configuration

    def extract_configuration_param(
        self,
        provider_name: str,
        param_name: str,
        default_value: Any = None,
        input_type: type = str,
        is_mandatory: bool = False,
        print_value: bool = False,
    ) -> Any:
        """Pick one configuration parameter; asks the server for all of them."""
        values = self.get_configuration(provider_name)
        return extract_script_param(self, values, param_name, default_value, input_type, is_mandatory, print_value)

    def extract_action_param(
        self,
        param_name: str,
        default_value: Any = None,
        input_type: type = str,
        is_mandatory: bool = False,
        print_value: bool = False,
    ) -> Any:
        """Pick one parameter of the action."""
        return extract_script_param(
            self, self.parameters, param_name, default_value, input_type, is_mandatory, print_value
        )

    def add_attachment(
        self,
        file_path: str,
        case_id: str | None = None,  # always the action's own case and alert, as on the platform
        alert_identifier: str | None = None,
        description: str | None = None,  # the platform drops it
        is_favorite: bool = False,  # the platform drops it
    ) -> Any:
        """Put a file on the case wall."""
        path = Path(file_path)
        content = path.read_bytes()
        blob = base64.b64encode(content).decode()
        attachment = Attachment(
            self.case_id, self.alert_id, blob, path.suffix, path.stem, None, False, len(content), len(blob)
        )
        return self.call_server("POST", "AddAttachment?format=snake", attachment.__dict__).json()

    def get_case_context_property(self, property_key: str) -> Any:
        """Return a property of the case, or None."""
        return self.get_context_property(_CASE_CONTEXT, self.case_id, property_key)

    def set_case_context_property(self, property_key: str, property_value: str) -> None:
        """Store a property of the case."""
        self.set_context_property(_CASE_CONTEXT, self.case_id, property_key, property_value)

    def get_alert_context_property(self, property_key: str) -> Any:
        """Return a property of the alert, or None."""
        return self.get_context_property(_ALERT_CONTEXT, self._alert_group, property_key)

    def set_alert_context_property(self, property_key: str, property_value: str) -> None:
        """Store a property of the alert."""
        self.set_context_property(_ALERT_CONTEXT, self._alert_group, property_key, property_value)

    @property
    def _alert_group(self) -> str:
        if self.current_alert is None:
            raise AttributeError("'NoneType' object has no attribute 'alert_group_identifier'")
        return self.current_alert.alert_group_identifier

    def get_temp_folder_path(self) -> str:
        """Return a folder that lives until the end of the action."""
        self._temp_folder = self._temp_folder or tempfile.mkdtemp()
        return self._temp_folder

    def _remove_temp_folder(self) -> None:
        if self._temp_folder:
            shutil.rmtree(self._temp_folder, ignore_errors=True)

    def termination_signal_handler(self, sig: int, frame: object) -> None:
        """End on SIGTERM, without the temporary folder."""
        self._remove_temp_folder()
        super().termination_signal_handler(sig, frame)

    def end(self, message: str | None, result_value: Any, execution_state: int = EXECUTION_STATE_COMPLETED) -> NoReturn:
        """Write the result and end the process with status 0, whatever the state is.

        Raises:
            TypeError: The result value is not JSON.
            SystemExit: Always, otherwise.
        """
        self._remove_temp_folder()
        result = json.dumps(self.result.to_object())
        if SiemplifyUtils.is_json_result_size_valid(result, self.max_json_result_size):
            envelope = {
                "Message": message,
                "ResultObjectJson": result,
                "ResultValue": result_value,
                "DebugOutput": SiemplifyUtils.my_stdout.getvalue(),
                "ExecutionState": execution_state,
            }
        else:
            too_big = f"Action failed as JSON result exceeded maximum size {self.max_json_result_size}MB"
            envelope = {
                "Message": too_big,
                "ResultObjectJson": None,
                "ResultValue": None,
                "DebugOutput": too_big,
                "ExecutionState": EXECUTION_STATE_FAILED,
            }
        SiemplifyUtils.real_stdout.write(json.dumps(envelope))
        sys.exit(0)
