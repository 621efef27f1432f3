"""Where the connector's state lives: in the platform's database, as one text of the connector's context."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from MimecastConnectorState import (
    DAMAGED_STATE_KEY,
    DELIVERED_KEY,
    STATE_KEY,
    ConnectorState,
    DamagedStateError,
    adopt_older_state,
    load_state,
    salvage_state,
)
from MimecastManager import Clock

if TYPE_CHECKING:
    from SiemplifyConnectors import SiemplifyConnectorExecution

SAVE_TRIES = 3
PAUSE_BETWEEN_SAVES_S = 1.0
OLDER_IDS_KEY = "ids"
"""Where the older integration keeps the ids it has ingested; its checkpoint is the SDK's own timestamp."""


class StateStore:
    """Loads and saves the state of one connector instance.

    Args:
        siemplify: The platform's connector object.
        clock: Time, for tests.
    """

    def __init__(self, siemplify: SiemplifyConnectorExecution, clock: Clock) -> None:
        self._siemplify = siemplify
        self._identifier = siemplify.context.connector_info.identifier or ""
        self._clock = clock

    def load(self, now: datetime) -> ConnectorState:
        """Read the state of the cycles before this one.

        Args:
            now: The present moment.

        Returns:
            The state; that of the older integration if there is none yet; what could be salvaged of a damaged one.

        Raises:
            Exception: The platform could not be asked. Then the cycle must not go on: it would not know what is done.
        """
        text = self._get(STATE_KEY)
        if not text:
            return adopt_older_state(self._timestamp(), self._older_ids(), now)
        try:
            state = load_state(text)
        except DamagedStateError as problem:
            self._siemplify.LOGGER.error(
                f"The stored state is damaged: {problem}. It is kept under {DAMAGED_STATE_KEY}; the cycle goes on from "
                "the last good checkpoint. Messages of the last hour may come a second time."
            )
            self._set(DAMAGED_STATE_KEY, text)
            return salvage_state(text, self._timestamp(), now)
        if state.handover is not None and self._get(DELIVERED_KEY) != state.handover.cycle:
            self._siemplify.LOGGER.warn(
                f"The cycle before this one was stopped before its {len(state.handover.rows)} alerts were handed over; "
                "they come now."
            )
            state.undo_handover()
        self._keep_checkpoint(state)
        return state

    def save(self, state: ConnectorState) -> bool:
        """Write the state, before the package is handed over.

        Returns:
            Whether it is stored.
        """
        return self._write(STATE_KEY, state.dump())

    def confirm(self, state: ConnectorState) -> bool:
        """Note that the package was handed over completely; without this the next cycle hands it over again.

        Returns:
            Whether it is noted.
        """
        return state.handover is None or self._write(DELIVERED_KEY, state.handover.cycle)

    def _write(self, key: str, text: str) -> bool:
        """Write a text; a write that fails may have been made all the same: what is stored then decides."""
        for attempt in range(SAVE_TRIES):
            if attempt:
                self._clock.sleep(PAUSE_BETWEEN_SAVES_S)
            try:
                self._set(key, text)
                return True
            except Exception as error:  # noqa: BLE001 - the SDK raises plain exceptions
                self._siemplify.LOGGER.warn(f"The state could not be saved ({type(error).__name__}); looking again.")
            try:
                if self._get(key) == text:
                    return True
            except Exception as error:  # noqa: BLE001 - the SDK raises plain exceptions
                self._siemplify.LOGGER.warn(f"The state could not be read back ({type(error).__name__}).")
        return False

    def _keep_checkpoint(self, state: ConnectorState) -> None:
        """Keep the last good checkpoint as the SDK's own timestamp too, should the state ever be damaged.

        The older integration reads it as well, so going back to it loses nothing.
        """
        if state.checkpoint is None:
            return
        try:
            self._siemplify.save_timestamp(new_timestamp=int(state.checkpoint.timestamp() * 1000))
        except Exception as error:  # noqa: BLE001 - the SDK raises plain exceptions; this is only a fallback
            self._siemplify.LOGGER.warn(f"The checkpoint could not be saved as a timestamp ({type(error).__name__}).")

    def _get(self, key: str) -> str:
        value = self._siemplify.get_connector_context_property(self._identifier, key)
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)

    def _set(self, key: str, value: str) -> None:
        self._siemplify.set_connector_context_property(self._identifier, key, value)

    def _timestamp(self) -> datetime | None:
        milliseconds = self._siemplify.fetch_timestamp()
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None

    def _older_ids(self) -> list[object]:
        text = self._get(OLDER_IDS_KEY)
        if not text:
            return []
        try:
            ids = json.loads(text)
        except ValueError:
            self._siemplify.LOGGER.warn(
                "The ids that the older integration left behind can't be read; going on without."
            )
            return []
        return ids if isinstance(ids, list) else list(ids) if isinstance(ids, dict) else []
