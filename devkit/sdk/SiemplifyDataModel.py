"""Objects that travel between the platform and a script."""

from __future__ import annotations

from typing import Any


class Attachment:
    """A file on a connector's alert; all of it is sent inside the result."""

    def __init__(
        self,
        case_identifier: str | None,
        alert_identifier: str | None,
        base64_blob: str,
        attachment_type: str,
        name: str,
        description: str | None,
        is_favorite: bool,
        orig_size: int,
        size: int,
    ) -> None:
        self.identifier = case_identifier
        self.creation_time: int | None = None
        self.modification_time: int | None = None
        self.additional_properties: dict[str, Any] | None = None
        self.case_identifier = case_identifier
        self.alert_identifier = alert_identifier
        self.base64_blob = base64_blob
        self.type = attachment_type
        self.name = name
        self.description = description
        self.is_favorite = is_favorite
        self.orig_size = orig_size
        self.size = size


class DomainEntityInfo:
    """An entity of an alert; its keyword arguments are the keys of the platform's answer."""

    def __init__(
        self,
        identifier: str,
        creation_time: int,
        modification_time: int,
        case_identifier: str,
        alert_identifier: str,
        entity_type: str,
        is_internal: bool,
        is_suspicious: bool,
        is_artifact: bool,
        is_enriched: bool,
        is_vulnerable: bool,
        is_pivot: bool,
        additional_properties: dict[str, Any],
    ) -> None:
        self.identifier = identifier
        self.creation_time = creation_time
        self.modification_time = modification_time
        self.additional_properties = additional_properties
        self.case_identifier = case_identifier
        self.alert_identifier = alert_identifier
        self.entity_type = entity_type
        self.is_internal = is_internal
        self.is_suspicious = is_suspicious
        self.is_artifact = is_artifact
        self.is_enriched = is_enriched
        self.is_vulnerable = is_vulnerable
        self.is_pivot = is_pivot

    def to_dict(self) -> dict[str, Any]:
        """Return the entity as it is sent back; its flags are repeated as text in the additional properties."""
        for flag, value in {
            "IsInternalAsset": self.is_internal,
            "IsEnriched": self.is_enriched,
            "IsSuspicious": self.is_suspicious,
            "IsVulnerable": self.is_vulnerable,
        }.items():
            self.additional_properties[flag] = str(value)
        return self.__dict__

    def __str__(self) -> str:
        return self.identifier


class Alert:
    """An alert of a case: its plain fields as attributes, its entities as objects."""

    def __init__(
        self,
        identifier: str,
        alert_group_identifier: str,
        domain_entities: list[dict[str, Any]],
        security_events: list[dict[str, Any]],
        **fields: Any,
    ) -> None:
        self.identifier = identifier
        self.alert_group_identifier = alert_group_identifier
        self.entities = [DomainEntityInfo(**entity) for entity in domain_entities]
        self.security_events = security_events
        self.__dict__.update(fields)


class LogRow:
    """A line of the log in a connector's result."""

    def __init__(self, message: str, log_level: int, timestamp: int) -> None:
        self.message = message
        self.log_level = log_level
        self.timestamp = timestamp
