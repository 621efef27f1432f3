"""The functions of TIPCommon and EnvironmentCommon that the package uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from platform_scripts import REPOSITORY, Scripts, needs_tipcommon_2_4

from devkit.platform.runner import Platform

BODY = """
from types import SimpleNamespace
from EnvironmentCommon import GetEnvironmentCommonFactory
from TIPCommon.filters import pass_whitelist_filter
from TIPCommon.smp_time import is_approaching_timeout
from TIPCommon.transformation import construct_csv, dict_to_flat, string_to_multi_value
from TIPCommon.utils import is_test_run
from SiemplifyUtils import unix_now

def environment(field, pattern, data):
    return attempt(
        lambda: GetEnvironmentCommonFactory.create_environment_manager(siemplify, field, pattern).get_environment(data)
    )

def listed(value, block=False, names=None):
    return pass_whitelist_filter(siemplify, block, SimpleNamespace(name=value), "name", names)

rows = [{"b": 1, "a": None}, {"a": "x,y", "c": 'with "quotes"'}]
nested = {"a": {"b": 1, "c": None, "d": {}}, "l": ["x", {"k": False}, [1, 2]], "e": [], "a_b": 2, "n": None}
siemplify.return_package([], {
    "csv": construct_csv(rows),
    "csv cells": sorted(",".join(construct_csv(rows)).split(",")),
    "no csv": construct_csv([]),
    "flat": dict_to_flat(nested),
    "flat texts": dict_to_flat({"a": {"b": True, "c": None}, "n": None, "t": "text"}),
    "values": string_to_multi_value(" b, a,, b ,"),
    "unique": string_to_multi_value("b;a;b", delimiter=";", only_unique=True),
    "no values": [string_to_multi_value(""), string_to_multi_value(None)],
    "test runs": [is_test_run(argv) for argv in (["x"], ["x", "True"], ["x", "False"], ["x", "true"])],
    "timeouts": [is_approaching_timeout(unix_now() - ms, 100) for ms in (80_000, 95_000)],
    "environments": [
        environment("", ".*", {"env": "A"}),
        environment("env", ".*", {}),
        environment("env", ".*", {"env": ""}),
        environment("env", "", {"env": "A"}),
        environment("env", r"[0-9]+", {"env": "tenant 42 x"}),
        environment("env", r"[0-9]+", {"env": "no match"}),
        environment("env", r"[0-9]*", {"env": "empty match"}),
    ],
    "bad pattern": environment("env", "(", {"env": "A"}),
    "no text": environment("env", "A", {"env": 5}),
    "listed": [
        listed("A"), listed("B"), listed("a"), listed(["A", "C"]), listed(["A", "B"]),
        listed("A", block=True), listed("B", block=True), listed(["A", "B"], block=True), listed("B", names=["B"]),
    ],
})
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with Platform(REPOSITORY) as platform:
        folder: Path = tmp_path_factory.mktemp("scripts")
        run = Scripts(platform, folder).connector(BODY, allow_list=["A", "C"])
        assert run.reason == "", run.stderr
        yield run.result_object["variables"]


@needs_tipcommon_2_4
def test_a_table_has_its_columns_in_the_order_they_are_first_seen(seen: dict[str, Any]) -> None:
    assert seen["csv"] == ["b,a,c", "1,,", ',x y,with "quotes"']


def test_a_tables_commas_become_blanks_and_nothing_is_an_empty_cell(seen: dict[str, Any]) -> None:
    assert seen["csv cells"] == ["", "", "", "1", "a", "b", "c", 'with "quotes"', "x y"]
    assert seen["no csv"] == []


@needs_tipcommon_2_4
def test_a_flat_dict_is_made_of_texts_and_lists_count_from_1(seen: dict[str, Any]) -> None:
    assert seen["flat"] == {
        "a_b": "2",
        "a_c": "",
        "l_1": "x",
        "l_2_k": "False",
        "l_3_1": "1",
        "l_3_2": "2",
        "n": "",
    }


def test_a_flat_dict_without_lists(seen: dict[str, Any]) -> None:
    assert seen["flat texts"] == {"a_b": "True", "a_c": "", "n": "", "t": "text"}


def test_a_list_of_values_has_no_empty_ones(seen: dict[str, Any]) -> None:
    assert seen["values"] == ["b", "a", "b"]
    assert seen["unique"] == ["b", "a"]
    assert seen["no values"] == [[], []]


def test_anything_but_true_is_a_test_run_for_tipcommon(seen: dict[str, Any]) -> None:
    assert seen["test runs"] == [False, False, True, True]


def test_a_time_out_approaches_at_90_percent(seen: dict[str, Any]) -> None:
    assert seen["timeouts"] == [False, True]


def test_the_environment_of_an_alert(seen: dict[str, Any]) -> None:
    default = "Default Environment"
    assert seen["environments"] == [default, default, default, "A", "42", "no match", default]


def test_a_bad_environment_pattern_raises_for_each_alert(seen: dict[str, Any]) -> None:
    assert seen["bad pattern"].startswith("error: ")
    assert seen["no text"].startswith("TypeError: ")


def test_the_dynamic_list_compares_exactly_and_every_value_counts(seen: dict[str, Any]) -> None:
    assert seen["listed"] == [True, False, False, True, False, False, True, False, True]
