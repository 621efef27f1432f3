"""Rows as a table of the case wall, and how many of them the platform can take. Pure functions.

The platform's table is a list of CSV lines, and its result as JSON text is limited (SDK, ``SiemplifyAction.end``).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from MimecastEnvelope import Row

MAX_RESULT_CHARS = 15 * 1024 * 1024
"""Longest result that the platform takes, as JSON text; above it the whole result is replaced by a failure."""
RESERVED_CHARS = 64 * 1024
"""For what surrounds rows and table in the result."""
LINE_BREAK = "\N{RETURN SYMBOL}"
"""Stands for a line break inside a cell: what can split a line of CSV must not be in it, quoted or not."""

_LINE_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def table(rows: Sequence[Row]) -> list[str]:
    """Write rows as CSV lines: every key that any row has is a column, in the order in which they come up.

    Cells are quoted where CSV needs it; lists and objects stand as JSON; line breaks as ``LINE_BREAK``.

    Returns:
        The header and one line for each row; nothing for no rows.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return []
    return [_line(columns), *(_line(row.get(column) for column in columns) for row in rows)]


def rows_that_fit(rows: Sequence[Row]) -> int:
    """Return how many of the first rows, as JSON result and as table, stay within the platform's limit."""
    lines = table(rows)
    left = MAX_RESULT_CHARS - RESERVED_CHARS
    if lines:
        left -= _chars(lines[0])
    for number, (row, line) in enumerate(zip(rows, lines[1:] or [""] * len(rows), strict=True)):
        left -= json_chars(row) + _chars(line)
        if left < 0:
            return number
    return len(rows)


def json_chars(value: Any) -> int:
    """Return how long a part of the JSON result gets: the platform writes its JSON text as a string of JSON again."""
    return _chars(json.dumps(value, ensure_ascii=False))


def _chars(text: str) -> int:
    return len(json.dumps(text)) + len(", ")


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([_cell(value) for value in cells])
    return line.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _LINE_BREAKS.sub(LINE_BREAK, text)
