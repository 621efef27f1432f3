"""What actions and connectors share: command line, signals, logger, calls to the platform's server, stored state."""

from __future__ import annotations

import getopt
import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

import SiemplifyUtils
from SiemplifyLogger import SiemplifyLogger

_OPTIONS = ["useElastic", "logPath=", "correlationId=", "traceId=", "baggage=", "onePlatformSupport"]
_TERMINATED_EXIT_CODE = -143
_TIMESTAMP_KEY = "timestamp"


class MaximumContextLengthException(Exception):
    """A context property is longer than the platform stores."""


class SiemplifyBase:
    """Base of the SDK objects.

    Args:
        key_position: Where the API key is on the command line: 1 in actions, 2 in connectors.

    Raises:
        getopt.GetoptError: An option the platform does not know.
        IndexError: No API key.
    """

    def __init__(self, key_position: int) -> None:
        options, _ = getopt.gnu_getopt(sys.argv[1:], "", _OPTIONS)
        signal.signal(signal.SIGTERM, self.termination_signal_handler)
        signal.signal(signal.SIGINT, self.cancellation_signal_handler)
        self.api_key = sys.argv[key_position].strip('"')
        self.script_name = ""
        self.RUN_FOLDER = str(Path.cwd() / "Scripting")
        self.API_ROOT = f"http://{os.environ['APP_IP']}:{os.environ['APP_PORT']}/api"
        self.session = requests.Session()
        self.session.headers.update(
            {"AppKey": self.api_key, "Content-Type": "application/json", "Accept": "application/json"}
        )
        self.LOGGER = SiemplifyLogger(dict(options).get("--logPath", "").strip('"') or None)

    @property
    def run_folder(self) -> str:
        """The script's own folder, made when asked for."""
        if not self.script_name:
            raise Exception("Cannot build run_folder when script_name has not been defined first.")
        return self._make_run_folder(self.script_name)

    def _make_run_folder(self, name: str) -> str:
        path = Path(self.RUN_FOLDER) / type(self).__name__ / name
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    @staticmethod
    def read_stdin() -> dict[str, Any]:
        """Return what the platform wrote to standard input: one JSON object, maybe with a byte order mark."""
        data: dict[str, Any] = json.loads(sys.stdin.buffer.read().decode("utf-8-sig"))
        return data

    def call_server(self, method: str, endpoint: str, body: Any = None) -> requests.Response:
        """Call the platform's server; no retry and no time-out, as on the platform.

        Raises:
            Exception: The status and the body of an error.
        """
        response = self.session.request(  # the platform's SDK sets no time-out either
            method, f"{self.API_ROOT}/external/v1/sdk/{endpoint}", json=body
        )
        try:
            response.raise_for_status()
        except requests.HTTPError as error:
            raise Exception(f"{error}: {response.content!r}") from error
        return response

    def get_context_property(self, context_type: int, identifier: str, property_key: str) -> Any:
        """Return a stored property, or None."""
        response = self.call_server(
            "POST",
            "GetContextProperty",
            {"ContextType": context_type, "Identifier": identifier, "PropertyKey": property_key},
        )
        if response.status_code == requests.codes.no_content:
            self.LOGGER.info(f"No data found for property key: {property_key}")
            return None
        return response.json()

    def set_context_property(self, context_type: int, identifier: str, property_key: str, property_value: str) -> None:
        """Store a property.

        Raises:
            MaximumContextLengthException: It is too long; nothing is sent.
        """
        self._send_property("SetContextProperty", context_type, identifier, property_key, property_value)

    def try_set_context_property(
        self, context_type: int, identifier: str, property_key: str, property_value: str
    ) -> bytes:
        """Store a property and return the server's raw answer."""
        return self._send_property("TrySetContextProperty", context_type, identifier, property_key, property_value)

    def _send_property(self, endpoint: str, context_type: int, identifier: str, key: str, value: str) -> bytes:
        if not SiemplifyUtils.validate_property_value(value):
            raise MaximumContextLengthException(f"{endpoint}: property value has reached maximum length")
        body = {"ContextType": context_type, "Identifier": identifier, "PropertyKey": key, "PropertyValue": value}
        return self.call_server("POST", endpoint, body).content

    def _fetch_timestamp(self, context_type: int, identifier: str, datetime_format: bool) -> Any:
        try:
            stored = self.get_context_property(context_type, identifier, _TIMESTAMP_KEY)
        except Exception as error:
            raise Exception(f"Failed reading timestamps from db, ERROR: {error}") from error
        try:
            timestamp = int(stored or 0)
        except ValueError:
            timestamp = SiemplifyUtils.convert_string_to_unix_time(stored)
        return SiemplifyUtils.convert_unixtime_to_datetime(timestamp) if datetime_format else timestamp

    def _save_timestamp(self, context_type: int, identifier: str, new_timestamp: int | datetime) -> None:
        if isinstance(new_timestamp, datetime):
            new_timestamp = SiemplifyUtils.convert_datetime_to_unix_time(new_timestamp)
        try:
            self.set_context_property(context_type, identifier, _TIMESTAMP_KEY, json.dumps(new_timestamp))
        except Exception as error:
            raise Exception(f"Failed saving timestamps to db, ERROR: {error}") from error

    def termination_signal_handler(self, sig: int, _frame: object) -> None:
        """End on SIGTERM without a result: exit status 113."""
        self.LOGGER.warn(f"Termination signal [{sig}] received, exiting...")
        sys.exit(_TERMINATED_EXIT_CODE)

    def cancellation_signal_handler(self, sig: int, _frame: object) -> None:
        """Ignore SIGINT, so that the run can finish."""
        self.LOGGER.warn(f"Cancellation signal [{sig}] received, ignoring to finish execution gracefully.")
