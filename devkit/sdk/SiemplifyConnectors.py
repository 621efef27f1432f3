"""The SDK object of a connector."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import SiemplifyUtils
from OverflowManager import OverflowAlertDetails, OverflowManager
from SiemplifyBase import SiemplifyBase
from SiemplifyConnectorsDataModel import CaseInfo, ConnectorContext
from SiemplifyUtils import extract_script_param, set_proxy_state, unix_now

SiemplifyUtils.override_stdout()

_CONNECTOR_CONTEXT = 4
_ALWAYS_DIRECT = ("localhost", "127.0.0.1")


class SiemplifyConnectorExecution(SiemplifyBase):
    """Reads the connector's context from standard input; ``return_package`` writes its result."""

    MAX_NUM_LOG_ROWS = 5_000

    def __init__(self) -> None:
        super().__init__(key_position=2)
        data = self.read_stdin()
        self.context = ConnectorContext(
            data["connector_info"],
            data.get("vault_settings"),
            data.get("environment_api_key"),
            data.get("connector_api_key"),
        )
        info = self.context.connector_info
        self.LOGGER.module = f"{info.integration}_{info.connector_definition_name}_{info.identifier}"
        _ = self.run_folder  # the platform makes it here
        self.overflow_manager = OverflowManager(self)
        self._announce_proxy()

    def _announce_proxy(self) -> None:
        parameters = self.parameters
        ignored = str(parameters.get("Proxy Ignored Addresses") or "")
        addresses = ignored.split(",") if ignored else []
        addresses += [address for address in _ALWAYS_DIRECT if address not in addresses]
        set_proxy_state(
            {
                "proxy_server_address": parameters.get("Proxy Server Address"),
                "username": parameters.get("Proxy Username"),
                "password": parameters.get("Proxy Password"),
                "ignore_addresses": addresses,
            }
        )

    @property
    def run_folder(self) -> str:
        """The connector's own folder, made when asked for."""
        info = self.context.connector_info
        return self._make_run_folder(f"{info.display_name}_{info.identifier}")

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name; the first one of a name wins."""
        params = self.context.connector_info.params or []
        return {param["param_name"]: param["param_value"] for param in reversed(params)}

    @property
    def whitelist(self) -> list[str] | None:
        """The dynamic list; applying it is up to the script."""
        return self.context.connector_info.white_list

    @property
    def is_test_run(self) -> bool:
        """Whether the platform runs the connector once, for a look: the first argument is then "False"."""
        return len(sys.argv) > 1 and sys.argv[1] == "False"

    def extract_connector_param(
        self,
        param_name: str,
        default_value: Any = None,
        input_type: type = str,
        is_mandatory: bool = False,
        print_value: bool = False,
    ) -> Any:
        """Pick one parameter of the connector."""
        return extract_script_param(
            self, self.parameters, param_name, default_value, input_type, is_mandatory, print_value
        )

    def get_connector_context_property(self, identifier: str, property_key: str) -> Any:
        """Return a stored property, or None."""
        return self.get_context_property(_CONNECTOR_CONTEXT, identifier, property_key)

    def set_connector_context_property(self, identifier: str, property_key: str, property_value: str) -> None:
        """Store a property."""
        self.set_context_property(_CONNECTOR_CONTEXT, identifier, property_key, property_value)

    def fetch_timestamp(self, datetime_format: bool = False, timezone: bool = False) -> Any:
        """Return the saved moment in milliseconds (0 if there is none) or as a time in UTC."""
        return self._fetch_timestamp(_CONNECTOR_CONTEXT, self._identifier, datetime_format)

    def save_timestamp(
        self,
        datetime_format: bool = False,  # takes part in nothing on the platform either
        timezone: bool = False,  # the same
        new_timestamp: int | datetime = unix_now(),  # noqa: B008 - frozen at import, as on the platform
    ) -> None:
        """Save a moment; the default is the start of the process, not now."""
        self._save_timestamp(_CONNECTOR_CONTEXT, self._identifier, new_timestamp)

    @property
    def _identifier(self) -> str:
        return self.context.connector_info.identifier

    def is_overflowed_alert(
        self,
        environment: str | None,
        alert_identifier: str | None,
        ingestion_time: int = unix_now(),  # frozen at import, as on the platform
        original_file_path: str | None = None,
        original_file_content: str | None = None,
        alert_name: str | None = None,
        product: str | None = None,
        source_ip: str | None = None,
        source_host: str | None = None,
        destination_ip: str | None = None,
        destination_host: str | None = None,
        siem_alert_id: str | None = None,
        source_system_url: str | None = None,
        source_rule_identifier: str | None = None,
    ) -> bool:
        """Count an alert and tell whether there are too many of its kind."""
        details = OverflowAlertDetails(
            ingestion_time,
            environment=environment,
            source_system_name=self.context.connector_info.integration,
            connector_identifier=self._identifier,
            original_file_path=original_file_path,
            original_file_content=original_file_content,
            alert_identifier=alert_identifier,
            alert_name=alert_name,
            product=product,
            source_ip=source_ip,
            source_host=source_host,
            destination_ip=destination_ip,
            destination_host=destination_host,
            siem_alert_id=siem_alert_id,
            source_system_url=source_system_url,
            source_rule_identifier=source_rule_identifier,
        )
        return self.overflow_manager.check_is_alert_overflowed(details)

    def return_package(
        self,
        cases: Sequence[CaseInfo],
        output_variables: dict[str, Any] | None = None,
        log_items: list[Any] | None = None,
    ) -> None:
        """Write the result; does not end the process. Only the first 5000 log rows are in it.

        Raises:
            AttributeError: Something in it is neither JSON nor an object with attributes, such as a time or bytes.
        """
        package = {
            "cases": cases,
            "overflow_cases": self.overflow_manager.reported_overflows,
            "log_items": log_items or [],
            "variables": output_variables or {},
            "log_rows": self.LOGGER.log_rows[: self.MAX_NUM_LOG_ROWS],
        }
        envelope = {
            "ResultObjectJson": json.dumps(package, default=lambda thing: thing.__dict__),
            "DebugOutput": SiemplifyUtils.my_stdout.getvalue(),
        }
        SiemplifyUtils.real_stdout.write(json.dumps(envelope))
