"""What the platform's administrator has set up, and the case an action runs on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_MEDIUM_PRIORITY = 60
_ENTITY_FLAGS = ("is_internal", "is_suspicious", "is_artifact", "is_enriched", "is_vulnerable", "is_pivot")


@dataclass
class PlatformSettings:
    """The platform as scripts see it; can be changed between two runs."""

    integration_configuration: dict[str, str] = field(default_factory=dict)
    """Parameters of the integration's instance; all values are texts."""
    overflow_policy: dict[str, Any] | None = None
    """Keys as ``is_overflow_enabled``; None: never set, so the SDK's defaults count (50 alerts in 10 minutes)."""
    proxy: dict[str, Any] | None = None
    """``proxy_server_address``, ``username``, ``password``, ``ignore_addresses``; None: no proxy."""
    case_id: str = "1"
    alert_id: str = "alert-1"
    environment: str = "Default Environment"
    entities: list[tuple[str, str]] = field(default_factory=list)
    """The alert's entities as (identifier, type)."""

    def case(self) -> dict[str, Any]:
        """Return the case, in the form of the endpoint CaseMetadata."""
        return {
            "identifier": self.case_id,
            "creation_time": 0,
            "modification_time": 0,
            "alert_count": 1,
            "priority": _MEDIUM_PRIORITY,
            "is_touched": False,
            "is_merged": False,
            "is_important": False,
            "environment": self.environment,
            "assigned_user": "@Tier1",
            "title": "Local case",
            "description": "",
            "status": 1,
            "is_incident": False,
            "stage": "Triage",
            "has_suspicious_entity": False,
            "high_risk_products": [],
            "is_locked": False,
            "has_workflow": False,
            "sla_expiration_unix_time": 0,
            "additional_properties": {},
        }

    def alert(self) -> dict[str, Any]:
        """Return the case's only alert with its entities, in the form of the endpoint AlertFullDetails."""
        entities = [
            {
                "identifier": identifier,
                "creation_time": 0,
                "modification_time": 0,
                "case_identifier": self.case_id,
                "alert_identifier": self.alert_id,
                "entity_type": entity_type,
                **dict.fromkeys(_ENTITY_FLAGS, False),
                "additional_properties": {},
            }
            for identifier, entity_type in self.entities
        ]
        return {
            "identifier": self.alert_id,
            "alert_group_identifier": f"{self.alert_id}-group",
            "creation_time": 0,
            "modification_time": 0,
            "case_identifier": self.case_id,
            "reporting_vendor": "Mimecast",
            "reporting_product": "Mimecast",
            "environment": self.environment,
            "name": "Local alert",
            "description": "",
            "external_id": "",
            "severity": _MEDIUM_PRIORITY,
            "rule_generator": "",
            "tags": [],
            "detected_time": 0,
            "security_events": [],
            "domain_relations": [],
            "domain_entities": entities,
            "additional_properties": {},
            "additional_data": {},
        }
