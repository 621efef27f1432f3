"""What came of a script's run: its end, its output, and the result in it if there is a proper one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar

_SHOWN_CHARACTERS = 200


class Ended(Enum):
    """How a process came to its end."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "stopped by the platform at the time-out"
    STOPPED = "stopped from outside"


@dataclass(frozen=True)
class ScriptRun:
    """One run of a script.

    Attributes:
        exit_code: The process's status; negative for a signal.
        seconds: From start to end.
        peak_rss_mib: Highest memory seen, in MiB; None where it can't be seen.
        platform_calls: How often each endpoint of the platform was called during the run.
    """

    exit_code: int
    ended: Ended
    seconds: float
    stdout: str
    stderr: str
    peak_rss_mib: float | None = None
    platform_calls: Counter[str] = field(default_factory=Counter)

    _KEYS: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def _parsed(self) -> tuple[dict[str, Any] | None, dict[str, Any], str]:
        """Return envelope, result object and reason; only one JSON object of exactly the right keys is an envelope."""
        if self.ended is not Ended.BY_ITSELF:
            return None, {}, f"the process was {self.ended.value}; its output does not count"
        if not self.stdout:
            return None, {}, f"nothing on standard output (exit status {self.exit_code})"
        try:
            document = json.loads(self.stdout)
            if not isinstance(document, dict) or set(document) != self._KEYS:
                return None, {}, f"standard output is not a result: {self.stdout[:_SHOWN_CHARACTERS]}"
            text = document["ResultObjectJson"]
            return document, json.loads(text) if text else {}, ""
        except (ValueError, TypeError) as error:
            return None, {}, f"standard output is not one JSON document: {error}"

    @property
    def envelope(self) -> dict[str, Any] | None:
        """The result as it was written, or None; ``reason`` tells why there is none."""
        return self._parsed[0]

    @property
    def result_object(self) -> dict[str, Any]:
        """The inner object of the result; empty if there is none."""
        return self._parsed[1]

    @property
    def reason(self) -> str:
        """Why there is no envelope; empty if there is one."""
        return self._parsed[2]

    @property
    def debug_output(self) -> str:
        """Everything the script printed and logged; empty without an envelope."""
        return str((self.envelope or {}).get("DebugOutput") or "")


@dataclass(frozen=True)
class ActionRun(ScriptRun):
    """One run of an action."""

    _KEYS: ClassVar[frozenset[str]] = frozenset(
        {"Message", "ResultObjectJson", "ResultValue", "DebugOutput", "ExecutionState"}
    )

    @property
    def message(self) -> str:
        """What the analyst reads; empty without an envelope."""
        return str((self.envelope or {}).get("Message") or "")

    @property
    def result_value(self) -> Any:
        """The script result, such as the value of ``is_success``; None without an envelope."""
        return (self.envelope or {}).get("ResultValue")

    @property
    def execution_state(self) -> int | None:
        """0 completed, 1 in progress, 2 failed, 3 timed out; None without an envelope."""
        return (self.envelope or {}).get("ExecutionState")

    @property
    def json_result(self) -> Any:
        """The JSON result, read; None if there is none."""
        text = self.result_object.get("JsonResult", {}).get("RawJson")
        return json.loads(text) if text else None

    @property
    def tables(self) -> dict[str, list[str]]:
        """Tables of the case wall: title to CSV lines, header first."""
        return {slot["Title"]: slot["CSVLines"] for slot in self.result_object.values() if slot["CSVLines"]}


@dataclass(frozen=True)
class ConnectorRun(ScriptRun):
    """One run of a connector."""

    _KEYS: ClassVar[frozenset[str]] = frozenset({"ResultObjectJson", "DebugOutput"})

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that reach the platform."""
        return list(self.result_object.get("cases", []))

    @property
    def overflow_cases(self) -> list[dict[str, Any]]:
        """Alerts that were one too many of their kind."""
        return list(self.result_object.get("overflow_cases", []))

    @property
    def log_rows(self) -> list[dict[str, Any]]:
        """The log's first rows: message, log_level (0 debug, 1 info, 2 warn, 3 error), timestamp in ms."""
        return list(self.result_object.get("log_rows", []))
