"""Tables, flat dicts and lists of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def _text(value: object) -> str:
    return "" if value is None else str(value)


def construct_csv(list_of_dicts: Sequence[dict[str, Any]]) -> list[str]:
    """Return rows as CSV lines, header first, columns in the order they are first seen.

    Commas within cells become blanks; line breaks and quotes stay as they are, and so do the headers.
    """
    if not list_of_dicts:
        return []
    headers = list(dict.fromkeys(key for row in list_of_dicts for key in row))
    lines = [",".join(map(_text, headers))]
    lines += [",".join(_text(row.get(header)).replace(",", " ") for header in headers) for row in list_of_dicts]
    return lines


def dict_to_flat(target_dict: dict[str, Any]) -> dict[str, str]:
    """Return a nested dict as a flat one of texts: keys joined with ``_``, list items numbered from 1.

    Empty dicts and lists vanish; of two equal keys the later one stays.
    """
    flat: dict[str, str] = {}
    for key, value in target_dict.items():
        _flatten(_text(key), value, flat)
    return flat


def _flatten(key: str, value: Any, flat: dict[str, str]) -> None:
    if isinstance(value, dict):
        for sub_key, sub_value in value.items():
            _flatten(f"{key}_{_text(sub_key)}", sub_value, flat)
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            _flatten(f"{key}_{number}", item, flat)
    else:
        flat[key] = _text(value)


def string_to_multi_value(string_value: str, delimiter: str = ",", only_unique: bool = False) -> list[str]:
    """Split a text, strip the parts and drop the empty ones; optionally each value only once."""
    if not string_value:
        return []
    values = [part.strip() for part in string_value.split(delimiter) if part.strip()]
    return list(dict.fromkeys(values)) if only_unique else values
