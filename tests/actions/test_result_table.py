"""Tables of the case wall, and how much of a result the platform can take."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import MimecastResultTable
from MimecastResultTable import LINE_BREAK, MAX_RESULT_CHARS, RESERVED_CHARS, rows_that_fit, table
from ScriptResult import ScriptResult


def read(lines: list[str]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(lines), newline="")))


def test_every_key_of_any_row_is_a_column_in_the_order_in_which_they_come_up() -> None:
    lines = table([{"b": 1, "a": 2}, {"c": 3, "a": 4}])
    assert lines == ["b,a,c", "1,2,", ",4,3"]


def test_commas_quotes_and_line_breaks_survive() -> None:
    rows = [{"subject, or so": 'a,"b",c', "two\nlines": "x\r\ny\nz\u2028w"}]
    lines = table(rows)
    assert len(lines) == 2
    assert read(lines) == [
        ["subject, or so", f"two{LINE_BREAK}lines"],
        ['a,"b",c', f"x{LINE_BREAK}y{LINE_BREAK}z{LINE_BREAK}w"],
    ]


def test_values_that_are_no_text_are_readable() -> None:
    row = {"n": None, "b": True, "i": 3, "f": 0.5, "l": [{"emailAddress": "é@x"}], "e": ""}
    assert read(table([row]))[1] == ["", "true", "3", "0.5", '[{"emailAddress": "é@x"}]', ""]


@pytest.mark.parametrize("rows", [[], [{}], [{}, {}]])
def test_rows_without_keys_make_no_table(rows: list[Any]) -> None:
    assert table(rows) == []
    assert rows_that_fit(rows) == len(rows)


CELLS = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
ROWS = st.lists(st.dictionaries(st.text(min_size=1, max_size=5), CELLS, max_size=4), max_size=6)


@given(ROWS)
def test_each_row_is_one_line_that_reads_back_to_its_cells(rows: list[dict[str, Any]]) -> None:
    lines = table(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    assert len(lines) == (len(rows) + 1 if columns else 0)
    for line, row in zip(lines[1:], rows, strict=False):
        assert len(line.splitlines()) <= 1
        cells = next(csv.reader([line]), [""])
        assert len(cells) == len(columns)
        for column, cell in zip(columns, cells, strict=True):
            if isinstance(row.get(column), str) and len(row[column].splitlines()) <= 1:
                assert cell == row[column].rstrip("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029") or LINE_BREAK in cell


def written(rows: list[dict[str, Any]]) -> int:
    """How many characters the SDK's result takes."""
    result = ScriptResult([])
    result.add_result_json(json.dumps(rows, ensure_ascii=False))
    result.add_data_table("Results", table(rows))
    return sum(len(json.dumps(slot)) for slot in vars(result)[_slots(result)].values())


def _slots(result: ScriptResult) -> str:
    """Where the SDK in use keeps the parts of a result."""
    return next(name for name in ("_slots", "_result_object", "result_object") if name in vars(result))


@given(rows=ROWS, limit=st.integers(0, 2000))
def test_what_fits_is_never_longer_than_the_limit_and_never_much_shorter(
    rows: list[dict[str, Any]], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MimecastResultTable, "MAX_RESULT_CHARS", limit + RESERVED_CHARS)
        count = rows_that_fit(rows)
    around = 500  # the slots' own names and braces, which the reserve is for
    if count:
        assert written(rows[:count]) <= limit + around
    if count < len(rows):
        assert written(rows[: count + 1]) > limit - around


def test_the_limit_is_the_platforms_15_mb_in_characters() -> None:
    row = {"subject": "ü" * 500_000}  # twice as JSON in JSON: 3 MB as result, 3 MB as table
    assert rows_that_fit([row] * 5) == 2
    assert MAX_RESULT_CHARS == 15 * 1024 * 1024
