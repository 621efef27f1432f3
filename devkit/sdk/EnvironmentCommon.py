"""Finds the environment of an alert from one of its fields."""

from __future__ import annotations

import re
from typing import Any


class EnvironmentHandle:
    """Reads the environment from a field of a flat dict.

    Args:
        field_name: The field; empty for always the default.
        regex_pattern: What part of the field's value counts; ".*" or empty for all of it.
        default_environment: The connector's own environment.
    """

    def __init__(self, field_name: str | None, regex_pattern: str | None, default_environment: str | None) -> None:
        self.environment_field_name = field_name
        self.environment_regex = regex_pattern or ".*"
        self.default_environment = default_environment

    def get_environment(self, data: dict[str, Any]) -> Any:
        """Return the alert's environment; a pattern that does not match leaves the field's value as it is."""
        value = data.get(self.environment_field_name) if self.environment_field_name else None
        if value and self.environment_regex != ".*":
            match = re.search(self.environment_regex, value)
            value = match.group() if match else value
        return value or self.default_environment


class GetEnvironmentCommonFactory:
    """Makes environment handles."""

    @staticmethod
    def create_environment_manager(
        siemplify: Any,
        environment_field_name: str | None,
        environment_regex_pattern: str | None,
        map_file: str = "map.json",  # for platforms without a database only
    ) -> EnvironmentHandle:
        """Return the handle of a connector."""
        default = siemplify.context.connector_info.environment
        return EnvironmentHandle(environment_field_name, environment_regex_pattern, default)
