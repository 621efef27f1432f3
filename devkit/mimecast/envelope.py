"""Mimecast's request and answer envelopes, and the two shapes of ``fail`` (facts 2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Json = dict[str, Any]

# facts 2.6: numeric zone without a colon and no fraction; the trailing Z that peers send is accepted in practice.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{4})")
_ADDRESS = re.compile(r"[^\s@<>\"',;]+@[^\s@<>\"',;]+\.[^\s@<>\"',;]+")


class GatewayError(Exception):
    """Refused before any function ran: an HTTP status other than 200.

    Args:
        status: HTTP status.
        code: Mimecast's code.
        message: Mimecast's text.
        nested: Whether ``fail`` has the ``errors`` list of API 1.0, or the flat shape of the API 2.0 gateway.
    """

    def __init__(self, status: int, code: str, message: str, *, nested: bool = False) -> None:
        super().__init__(message)
        self.status = status
        error: Json = {"code": code, "message": message}
        self.fail: list[Json] = [{"errors": [error | {"retryable": False}]}] if nested else [error]

    def body(self) -> Json:
        """The answer's envelope."""
        return {"meta": {"status": self.status}, "data": [], "fail": self.fail}


class EmptyBadRequestError(Exception):
    """Refused with HTTP 400 and no body at all, as truncated IDs are (facts 2.1)."""


class FunctionError(Exception):
    """A function ran and refused: HTTP 200, empty ``data``, and ``fail`` with ``key`` and ``errors``."""

    def __init__(self, code: str, message: str, *, field: str | None = None, retryable: bool = False) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message, "retryable": retryable}
        if field is not None:
            self.error["field"] = field


def null(field: str) -> FunctionError:
    """A required field is missing or null."""
    return FunctionError("err_validation_null", f"Field {field} cannot be null", field=field)


def blank(field: str) -> FunctionError:
    """A required text is empty."""
    return FunctionError("err_validation_blank", f"Field {field} cannot be blank", field=field)


def not_allowed(field: str, value: object) -> FunctionError:
    """A value is not one of those that are allowed."""
    return FunctionError("err_validation_value_not_allowed", f"Value not allowed: {str(value)[:100]}", field=field)


@dataclass(frozen=True)
class Call:
    """A request whose credentials are good.

    Attributes:
        path: Path of the function.
        auth: Which API it came by.
        base_url: Scheme, host and port that were asked.
        items: The ``data`` of its envelope.
        pagination: The ``meta.pagination`` of its envelope.
    """

    path: str
    auth: Literal["hmac", "oauth"]
    base_url: str
    items: list[Json]
    pagination: Json = field(default_factory=dict)

    def only_item(self) -> Json:
        """The one item of a function that takes exactly one.

        Raises:
            FunctionError: If there are none or several.
        """
        if len(self.items) != 1:
            raise FunctionError("err_validation_array_size", "Exactly 1 data item is required", field="data")
        return self.items[0]


@dataclass(frozen=True)
class Answer:
    """What a function answers: rows, pages and refusals of single items."""

    data: list[Any]
    pagination: Json | None = None
    fail: list[Json] = field(default_factory=list)

    def body(self) -> Json:
        """The answer's envelope."""
        meta: Json = {"status": 200}
        if self.pagination is not None:
            meta["pagination"] = self.pagination
        return {"meta": meta, "data": self.data, "fail": self.fail}


def failure(item: Json, *errors: FunctionError) -> Json:
    """One entry of ``fail`` at function level."""
    return {"key": item, "errors": [error.error for error in errors]}


# -- reading fields


def text_of(item: Json, name: str, *, within: str = "") -> str:
    """A required text.

    Raises:
        FunctionError: If it is missing, null, blank or not a text.
    """
    field = f"{within}{name}"
    value = item.get(name)
    if value is None:
        raise null(field)
    if not isinstance(value, str):
        raise not_allowed(field, value)
    if not value.strip():
        raise blank(field)
    return value


def optional_text(item: Json, name: str) -> str | None:
    """A text that may be absent; null is not a text.

    Raises:
        FunctionError: If it is there and not a text.
    """
    if name not in item:
        return None
    if not isinstance(item[name], str):
        raise not_allowed(name, item[name])
    return str(item[name])


def flag_of(item: Json, name: str, default: bool, *, within: str = "") -> bool:
    """A JSON boolean that may be absent.

    Raises:
        FunctionError: If it is there and something else, such as the text "true".
    """
    value = item.get(name, default)
    if not isinstance(value, bool):
        raise not_allowed(f"{within}{name}", value)
    return value


def words_of(item: Json, name: str, allowed: frozenset[str]) -> list[str]:
    """A list of words out of a vocabulary; empty if absent.

    Raises:
        FunctionError: If it is no list, or has a word that isn't in the vocabulary.
    """
    values = item.get(name, [])
    if not isinstance(values, list):
        raise not_allowed(name, values)
    for value in values:
        if value not in allowed:
            raise not_allowed(name, value)
    return values


def date_of(item: Json, name: str, *, within: str = "") -> datetime | None:
    """A time that may be absent.

    Raises:
        FunctionError: If it isn't written as Mimecast documents.
    """
    if name not in item:
        return None
    value = item[name]
    moment = parse_date(value)
    if moment is None:
        raise FunctionError("err_validation_invalid_date", f"Invalid date: {str(value)[:50]}", field=f"{within}{name}")
    return moment


def parse_date(value: object) -> datetime | None:
    """A time as Mimecast documents it (``2011-12-03T10:15:30+0000``), None for anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except ValueError:
        return None


def is_address(value: object) -> bool:
    """Whether this is one plain e-mail address."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None
