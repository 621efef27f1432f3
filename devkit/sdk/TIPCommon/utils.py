"""Small questions a connector asks."""

from __future__ import annotations

from typing import Any


def is_test_run(sys_argv: list[str]) -> bool:
    """Tell whether this is a test run: a first argument that is anything but "True"."""
    return len(sys_argv) > 1 and sys_argv[1] != "True"


def is_overflowed(siemplify: Any, alert_info: Any, is_test_run: bool) -> bool:
    """Tell whether there are too many alerts of this kind; an error counts as no, except in a test run."""
    try:
        return bool(
            siemplify.is_overflowed_alert(
                environment=alert_info.environment,
                alert_identifier=alert_info.ticket_id,
                alert_name=alert_info.rule_generator,
                product=alert_info.device_product,
                siem_alert_id=alert_info.siem_alert_id,
            )
        )
    except Exception as error:
        siemplify.LOGGER.error(f"Error validation connector overflow, ERROR: {error}")
        siemplify.LOGGER.exception(error)
        if is_test_run:
            raise
    return False
