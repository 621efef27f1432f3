"""Counts alerts of one kind and says when there are too many of them in a period."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from SiemplifyUtils import unix_now

if TYPE_CHECKING:
    from SiemplifyConnectors import SiemplifyConnectorExecution

_SETTINGS = "overflow_settings"
_DATA = "overflow_data"
_TIMES = "digestion_times"
_NOTIFIED = "last_notification_time"
_MS_PER_MINUTE = 60_000


@dataclass
class OverflowManagerSettings:
    """The platform's policy; these are its defaults."""

    is_overflow_enabled: bool = True
    is_environment_considered: bool = True
    is_product_considered: bool = True
    is_rule_generator_considered: bool = True
    max_alerts_in_time_period: int = 50
    time_period_in_min: int = 10


class OverflowAlertDetails:
    """An alert as it is reported when it overflows; what is None becomes an empty text."""

    def __init__(self, ingestion_time: int, **texts: str | None) -> None:
        self.ingestion_time = ingestion_time
        self.environment = ""
        self.alert_identifier = ""
        self.alert_name = ""
        self.product = ""
        self.__dict__.update({name: "" if text is None else str(text) for name, text in texts.items()})


class OverflowManager:
    """Reads the policy once; each check costs two calls to the server.

    Args:
        connector: The connector; its context properties hold the counts.
    """

    def __init__(self, connector: SiemplifyConnectorExecution) -> None:
        self._connector = connector
        self.reported_overflows: list[OverflowAlertDetails] = []
        stored = connector.get_connector_context_property(_SETTINGS, _SETTINGS)
        self._settings = OverflowManagerSettings(**(json.loads(stored) if stored is not None else {}))

    def check_is_alert_overflowed(self, details: OverflowAlertDetails) -> bool:
        """Count an alert and tell whether it is one too many; if so, report it.

        Raises:
            Exception: The counts could not be stored.
        """
        logger = self._connector.LOGGER
        if not self._settings.is_overflow_enabled:
            logger.info(f"Skipping overflow check for alert_id: {details.alert_identifier} as it is not enabled")
            return False
        if self._connector.is_test_run:
            logger.info("Overflow not checked because this is a test run")
            return False
        try:
            counts = self._load_counts()
            kind = self._kind(details)
            entry = counts.setdefault(kind, {_TIMES: [], _NOTIFIED: 0})
            overflowed = len(entry[_TIMES]) >= self._settings.max_alerts_in_time_period
            entry[_TIMES].append(unix_now())
            if overflowed:
                entry[_NOTIFIED] = unix_now()
                self.reported_overflows.append(details)
            self._connector.set_connector_context_property(self._identifier, _DATA, json.dumps(counts, sort_keys=True))
        except Exception as error:
            raise Exception(f"Error checking overflow, Details: {error}") from error
        return overflowed

    @property
    def _identifier(self) -> str:
        return self._connector.context.connector_info.identifier

    def _load_counts(self) -> dict[str, dict[str, Any]]:
        """Return the counts within the period; what cannot be read counts as nothing."""
        try:
            stored = self._connector.get_connector_context_property(self._identifier, _DATA)
            counts: dict[str, dict[str, Any]] = json.loads(stored) if stored is not None else {}
        except Exception as error:  # as on the platform: the log tells, the check goes on
            self._connector.LOGGER.error(f"Failed to open or parse Overflow cache with id {self._identifier}")
            self._connector.LOGGER.exception(error)
            return {}
        oldest = unix_now() - self._settings.time_period_in_min * _MS_PER_MINUTE
        for entry in counts.values():
            entry[_TIMES] = [moment for moment in entry[_TIMES] if moment >= oldest]
            entry.setdefault(_NOTIFIED, 0)
        return {kind: entry for kind, entry in counts.items() if entry[_TIMES]}

    def _kind(self, details: OverflowAlertDetails) -> str:
        settings = self._settings
        parts = [
            (settings.is_environment_considered, details.environment),
            (settings.is_product_considered, details.product),
            (settings.is_rule_generator_considered, details.alert_name),
        ]
        return "".join(f"|{text}" for considered, text in parts if considered)
