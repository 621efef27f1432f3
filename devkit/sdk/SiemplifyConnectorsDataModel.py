"""What a connector is given and what it returns."""

from __future__ import annotations

import json
from typing import Any


class ConnectorInfo:
    """A configured connector: ``connector_info`` of standard input. Keys that are missing are None."""

    def __init__(self, **keys: Any) -> None:
        self.environment = keys.get("environment")
        self.integration = keys.get("integration")
        self.connector_definition_name = keys.get("connector_definition_name")
        self.identifier: str = keys.get("identifier", "")
        self.display_name = keys.get("display_name")
        self.description = keys.get("description")
        self.result_data_type = keys.get("result_data_type")
        self.is_locally_scheduled_remote_connector = keys.get("is_locally_scheduled_remote_connector", False)
        self.params: list[dict[str, Any]] | None = keys.get("params")
        self.white_list: list[str] | None = keys.get("allow_list", keys.get("white_list"))
        if self.white_list is None:
            text = keys.get("allow_list_json_object", keys.get("white_list_json_object"))
            self.white_list = None if text is None else json.loads(text)


class ConnectorContext:
    """Standard input of a connector."""

    def __init__(
        self,
        connector_info: dict[str, Any],
        vault_settings: dict[str, Any] | None = None,
        environment_api_key: str | None = None,
        connector_api_key: str | None = None,
    ) -> None:
        self.connector_info = ConnectorInfo(**connector_info)
        self.vault_settings = vault_settings
        self.environment_api_key = environment_api_key
        self.connector_api_key = connector_api_key


class CaseInfo:
    """An alert on its way to the platform. Nothing is validated; what is not set is sent as null."""

    def __init__(self) -> None:
        self.environment: str | None = None
        self.ticket_id: str | None = None
        self.description: str | None = None
        self.display_id: str | None = None
        self.reason: str | None = None
        self.name: str | None = None
        self.source_system_url: str | None = None
        self.source_rule_identifier: str | None = None
        self.device_vendor: str | None = None
        self.device_product: str | None = None
        self.start_time: int | None = None
        self.end_time: int | None = None
        self.is_test_case = False
        self.priority = -1
        self.rule_generator: str | None = None
        self.source_grouping_identifier: str | None = None
        self.extensions: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.attachments: list[Any] = []
        self.siem_alert_id: str | None = None
        self.updated_fields: dict[str, Any] = {}
        self.alert_update_supported = False
        self.alert_metadata: dict[str, Any] = {}
        self.data_access_scope: str | None = None


class AlertInfo(CaseInfo):
    """The name scripts use."""
