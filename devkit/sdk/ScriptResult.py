"""The result an action builds: states, tables, JSON, links, attachments."""

from __future__ import annotations

import json
from typing import Any

EXECUTION_STATE_COMPLETED = 0
EXECUTION_STATE_INPROGRESS = 1
EXECUTION_STATE_FAILED = 2
EXECUTION_STATE_TIMEDOUT = 3

_JSON_RESULT = "JsonResult"
_MEBIBYTE = 1024 * 1024


class ScriptResult:
    """Collects what an action shows on the case wall.

    The same title and entity type is the same slot: a later JSON, table or content replaces the earlier one,
    attachments, HTML and markdown are merged by name, links are appended.

    Args:
        entities: The action's target entities as (identifier, type).
    """

    MAX_TOTAL_ATTACHMENT_SIZE = 50 * _MEBIBYTE
    MAX_ATTACHMENT_SIZE = 50 * _MEBIBYTE

    def __init__(self, entities: list[tuple[str, str]]) -> None:
        self.message: str | None = None
        self.result_value: Any = None
        self.execution_state = EXECUTION_STATE_COMPLETED
        self._entities = entities
        self._slots: dict[tuple[str, str | None], dict[str, Any]] = {}
        self._attached = 0

    def add_result_json(self, json_data: Any) -> None:
        """Set the action's JSON result."""
        self.add_json(_JSON_RESULT, json_data)

    def add_json(self, entity_identifier: str, json_data: Any, entity_type: str | None = None) -> None:
        """Set a titled JSON result.

        Args:
            entity_identifier: The title.
            json_data: A dict or list (what JSON does not know becomes text), or a text that is JSON.
            entity_type: Type of the entity it belongs to.

        Raises:
            AttributeError: The text is no JSON. The platform means to raise something better, but trips.
        """
        slot = self._slot(entity_identifier, entity_type)
        if isinstance(json_data, dict | list):
            try:
                json_data = json.dumps(json_data)
            except (TypeError, ValueError):
                json_data = json.dumps(json_data, default=str)
        else:
            try:
                json.loads(json_data)
            except (ValueError, TypeError) as error:
                raise AttributeError(f"{type(error).__name__!r} object has no attribute 'message'") from error
        slot["RawJson"] = json_data

    def add_entity_json(self, entity_identifier: str, json_data: Any, entity_type: str | None = None) -> None:
        """Set an entity's JSON result."""
        self.add_json(entity_identifier, json_data, entity_type)

    def add_content(self, entity_identifier: str, content: Any, entity_type: str | None = None) -> None:
        """Set a titled text."""
        self._slot(entity_identifier, entity_type)["Content"] = content

    def add_data_table(self, title: str, data_table: list[str], entity_type: str | None = None) -> None:
        """Set a titled table: CSV lines, the first one is the header; nothing is checked."""
        self._slot(title, entity_type)["CSVLines"] = data_table

    def add_entity_table(self, entity_identifier: str, data_table: list[str], entity_type: str | None = None) -> None:
        """Set an entity's table."""
        self.add_data_table(entity_identifier, data_table, entity_type)

    def add_link(self, title: str, link: str, entity_type: str | None = None) -> None:
        """Append a link."""
        self._slot(title, entity_type).setdefault("Links", []).append(link)

    def add_html(self, title: str, report_name: str, report_contents: str, entity_type: str | None = None) -> None:
        """Set a named HTML report."""
        self._check_size(len(report_contents))
        self._slot(title, entity_type)["Htmls"][report_name] = report_contents

    def add_markdown(
        self, title: str, markdown_name: str, markdown_content: str, entity_type: str | None = None
    ) -> None:
        """Set a named markdown text."""
        self._check_size(len(markdown_content))
        self._slot(title, entity_type)["Markdowns"][markdown_name] = markdown_content

    def add_attachment(
        self,
        title: str,
        filename: str,
        file_contents: str,
        additional_data: dict[str, Any] | None = None,  # the platform ignores it too
        entity_type: str | None = None,
    ) -> None:
        """Attach a file, given as base64 text.

        Raises:
            OSError: One file, or all together, are above 50 MB.
        """
        self._check_size(len(file_contents))
        self._slot(title, entity_type)["Attachments"][filename] = file_contents
        self._attached += len(file_contents)

    def to_object(self) -> dict[str, dict[str, Any]]:
        """Return the result object: without entity type a key ends in ``_None``, the JSON result keeps its name."""
        return {
            title if title == _JSON_RESULT else f"{title}_{entity_type}": slot
            for (title, entity_type), slot in self._slots.items()
        }

    def _slot(self, title: str, entity_type: str | None) -> dict[str, Any]:
        return self._slots.setdefault(
            (title, entity_type),
            {
                "Title": title,
                "Type": entity_type,
                "IsForEntity": any(title == identifier for identifier, _ in self._entities),
                "Content": "",
                "RawJson": "",
                "CSVLines": "",
                "Attachments": {},
                "Htmls": {},
                "Markdowns": {},
            },
        )

    def _check_size(self, size: int) -> None:
        if size > self.MAX_ATTACHMENT_SIZE:
            raise OSError(f"Attachment cannot be larger than {self.MAX_ATTACHMENT_SIZE // _MEBIBYTE} MB")
        if size + self._attached > self.MAX_TOTAL_ATTACHMENT_SIZE:
            raise OSError(
                f"Total entity attachments cannot be larger than {self.MAX_TOTAL_ATTACHMENT_SIZE // _MEBIBYTE} MB"
            )
