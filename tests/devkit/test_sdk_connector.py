"""The SDK's contract as a connector sees it: input, state, overflow, result, failures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from platform_scripts import REPOSITORY, Scripts

from devkit.platform.results import ConnectorRun, Ended
from devkit.platform.runner import Platform
from devkit.platform.server import Call
from devkit.platform.settings import PlatformSettings

ALERTS = """
def alert(number, rule="Rule"):
    info = AlertInfo()
    info.environment = "Default Environment"
    info.ticket_id = info.display_id = f"ticket-{number}"
    info.rule_generator = rule
    info.device_product = "Mimecast"
    info.events = [{"n": number}]
    return info
"""


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(REPOSITORY) as platform:
        yield platform


@pytest.fixture
def scripts(platform: Platform, tmp_path: Path) -> Iterator[Scripts]:
    platform.server.store.clear()
    platform.server.settings = PlatformSettings()
    yield Scripts(platform, tmp_path)
    platform.server.on_call = None


# ------------------------------------------------------------------------------------------------ a run that goes well


@pytest.fixture(scope="module")
def good(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> ConnectorRun:
    return Scripts(platform, tmp_path_factory.mktemp("good")).connector(
        f"""{ALERTS}
import datetime
from SiemplifyDataModel import Attachment
from SiemplifyUtils import convert_string_to_unix_time, convert_unixtime_to_datetime, unix_now, utc_now
from TIPCommon.utils import is_test_run
print("printed")
siemplify.LOGGER.info("logged")
siemplify.LOGGER.warn("warned")
siemplify.LOGGER.error("failed")
siemplify.LOGGER.info(12345)
signal.raise_signal(signal.SIGINT)
key = siemplify.context.connector_info.identifier
first = siemplify.fetch_timestamp()
first_datetime = siemplify.fetch_timestamp(datetime_format=True)
siemplify.save_timestamp(new_timestamp=1234567890123)
saved = siemplify.fetch_timestamp()
siemplify.save_timestamp(new_timestamp=datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc))
saved_datetime = siemplify.fetch_timestamp()
siemplify.save_timestamp()
age_ms = unix_now() - siemplify.fetch_timestamp()
siemplify.set_connector_context_property(key, "timestamp", "2026-01-02T00:00:00+00:00")
from_text = siemplify.fetch_timestamp()
before = siemplify.get_connector_context_property(key, "state")
siemplify.set_connector_context_property(key, "state", "x" * 3_000_000)
length = len(siemplify.get_connector_context_property(key, "state"))
too_long = attempt(siemplify.set_connector_context_property, key, "state", "x" * 3_000_001)
siemplify.set_connector_context_property(key, "state", "té")
one = alert(1)
one.attachments = [Attachment(None, None, "YQ==", ".txt", "a", None, False, 1, 4)]
one.extra = "kept"
siemplify.return_package([one], {{
    "parameters": siemplify.parameters,
    "list": siemplify.whitelist,
    "test run": [siemplify.is_test_run, is_test_run(sys.argv)],
    "first": [first, first_datetime.isoformat()],
    "saved": [saved, saved_datetime, from_text],
    "age_ms": age_ms,
    "before": before,
    "length": length,
    "too long": too_long,
    "has warning": hasattr(siemplify.LOGGER, "warning"),
    "folder": [siemplify.run_folder, os.path.isdir(siemplify.run_folder)],
    "proxy": [os.environ.get(name) for name in ("http_proxy", "https_proxy", "no_proxy")],
    "utc": str(utc_now().utcoffset()),
    "time": convert_unixtime_to_datetime(0).isoformat(),
    "naive time": attempt(convert_string_to_unix_time, "2026-01-02T00:00:00"),
}})
""",
        [
            {"param_name": "Domains", "param_value": "a.example", "type": 2, "mode": 2, "is_mandatory": True},
            {"param_name": "Domains", "param_value": "second entry", "type": 2, "mode": 2, "is_mandatory": True},
            {"param_name": "Proxy Server Address", "param_value": "http://proxy.example:3128", "type": 2},
            {"param_name": "Proxy Username", "param_value": "user", "type": 2},
            {"param_name": "Proxy Password", "param_value": "", "type": 3},
        ],
        allow_list=["listed"],
    )


def variables(run: ConnectorRun) -> dict[str, Any]:
    found: dict[str, Any] = run.result_object["variables"]
    return found


def test_returning_the_package_writes_one_result_and_the_process_ends_by_itself(good: ConnectorRun) -> None:
    assert good.reason == ""
    assert (good.exit_code, good.ended) == (0, Ended.BY_ITSELF)
    assert set(good.result_object) == {"cases", "overflow_cases", "log_items", "variables", "log_rows"}


def test_an_alert_is_sent_with_all_its_attributes_and_unset_ones_are_null(good: ConnectorRun) -> None:
    (alert,) = good.alerts
    assert alert["ticket_id"] == "ticket-1"
    assert alert["priority"] == -1
    assert alert["name"] is None
    assert alert["extra"] == "kept"
    assert alert["events"] == [{"n": 1}]
    assert set(alert) == {
        "environment", "ticket_id", "description", "display_id", "reason", "name", "source_system_url",
        "source_rule_identifier", "device_vendor", "device_product", "start_time", "end_time", "is_test_case",
        "priority", "rule_generator", "source_grouping_identifier", "extensions", "events", "attachments",
        "siem_alert_id", "updated_fields", "alert_update_supported", "alert_metadata", "data_access_scope", "extra",
    }  # fmt: skip


def test_an_attachment_travels_inside_the_alert(good: ConnectorRun) -> None:
    (attachment,) = good.alerts[0]["attachments"]
    assert attachment == {
        "identifier": None,
        "creation_time": None,
        "modification_time": None,
        "additional_properties": None,
        "case_identifier": None,
        "alert_identifier": None,
        "base64_blob": "YQ==",
        "type": ".txt",
        "name": "a",
        "description": None,
        "is_favorite": False,
        "orig_size": 1,
        "size": 4,
    }


def test_log_rows_carry_level_and_time(good: ConnectorRun) -> None:
    rows = {row["message"]: row for row in good.log_rows}
    assert [rows[text]["log_level"] for text in ("logged", "warned", "failed", "12345")] == [1, 2, 3, 1]
    assert rows["logged"]["timestamp"] > 1_700_000_000_000
    assert "printed\n" in good.debug_output
    assert "logged\n" in good.debug_output


def test_what_is_not_text_gets_lost_on_its_way_to_the_log(good: ConnectorRun) -> None:
    assert "INFO] logged" in good.stderr
    assert "12345\n" in good.debug_output
    assert "12345" not in good.stderr


def test_the_first_entry_of_a_parameter_wins(good: ConnectorRun) -> None:
    assert variables(good)["parameters"]["Domains"] == "a.example"


def test_a_scheduled_run_is_no_test_run(good: ConnectorRun) -> None:
    assert variables(good)["test run"] == [False, False]
    assert variables(good)["list"] == ["listed"]


def test_timestamps_are_milliseconds_and_0_at_first(good: ConnectorRun) -> None:
    assert variables(good)["first"] == [0, "1970-01-01T00:00:00+00:00"]
    assert variables(good)["saved"] == [1234567890123, 1767312000000, 1767312000000]


def test_the_timestamp_saved_by_default_is_the_start_of_the_process(good: ConnectorRun) -> None:
    assert 0 < variables(good)["age_ms"] <= good.seconds * 1000


def test_a_property_above_three_million_characters_is_never_sent(good: ConnectorRun, platform: Platform) -> None:
    assert variables(good)["before"] is None
    assert variables(good)["length"] == 3_000_000
    assert variables(good)["too long"].startswith("MaximumContextLengthException")
    assert good.platform_calls["SetContextProperty"] == 6
    assert platform.server.store.get(4, "connector-1", "state") == "té"


def test_a_proxy_parameter_is_announced_through_the_environment(good: ConnectorRun) -> None:
    proxy = "http://proxy.example:3128"  # a user without a password does not count
    assert variables(good)["proxy"] == [proxy, proxy, "localhost,127.0.0.1"]


def test_the_logger_has_no_warning_and_the_run_folder_is_there(good: ConnectorRun) -> None:
    assert variables(good)["has warning"] is False
    folder, exists = variables(good)["folder"]
    assert Path(folder).name == "script_under_test_connector-1"
    assert exists


def test_times_are_utc_and_a_text_needs_its_offset(good: ConnectorRun) -> None:
    assert variables(good)["utc"] == "0:00:00"
    assert variables(good)["time"] == "1970-01-01T00:00:00+00:00"
    assert variables(good)["naive time"].startswith("Exception: convert_string_to_unix_time Failed")


# ------------------------------------------------------------------------------------------------ test runs and state


def test_a_test_run_says_so_and_counts_no_overflow(scripts: Scripts) -> None:
    run = scripts.connector(
        f"""{ALERTS}
from TIPCommon.utils import is_overflowed, is_test_run
over = is_overflowed(siemplify, alert(1), True)
siemplify.return_package([], {{"seen": [siemplify.is_test_run, is_test_run(sys.argv), over]}})
""",
        test_run=True,
    )
    assert variables(run)["seen"] == [True, True, False]
    assert run.platform_calls == {"GetContextProperty": 1}


def test_state_survives_runs_and_the_platform_and_belongs_to_one_connector(tmp_path: Path) -> None:
    body = """
        key = siemplify.context.connector_info.identifier
        runs = int(siemplify.get_connector_context_property(key, "runs") or 0) + 1
        siemplify.set_connector_context_property(key, "runs", str(runs))
        siemplify.return_package([], {"runs": runs})
        """
    seen = []
    for identifier in ("one", "one", "other"):
        with Platform(REPOSITORY, tmp_path / "state.sqlite3") as platform:
            run = Scripts(platform, tmp_path).connector(body, identifier=identifier)
            seen.append(variables(run)["runs"])
    assert seen == [1, 2, 1]


def test_a_failed_write_raises_whether_or_not_the_value_was_stored(scripts: Scripts) -> None:
    scripts.platform.server.on_call = lambda call: (
        scripts.platform.server.fail_writes(1, after_applying=call.body["PropertyKey"] == "applied")
        if call.endpoint == "SetContextProperty" and call.body["PropertyKey"] != "fine"
        else None
    )
    run = scripts.connector(
        """
        key = siemplify.context.connector_info.identifier
        write, read = siemplify.set_connector_context_property, siemplify.get_connector_context_property
        errors = [attempt(write, key, name, "1") for name in ("refused", "applied", "fine")]
        saving = attempt(siemplify.save_timestamp, new_timestamp=5)
        stored = [read(key, name) for name in ("refused", "applied", "fine", "timestamp")]
        siemplify.return_package([], {"errors": errors, "saving": saving, "stored": stored})
        """
    )
    refused, applied, fine = variables(run)["errors"]
    assert "500" in refused
    assert "500" in applied
    assert fine is None
    assert variables(run)["saving"].startswith("Exception: Failed saving timestamps")
    assert variables(run)["stored"] == [None, "1", "1", None]


# ------------------------------------------------------------------------------------------------ overflow

SIXTY_ALERTS = f"""{ALERTS}
from TIPCommon.utils import is_overflowed
alerts = [alert(n) for n in range(60)]
siemplify.return_package([one for one in alerts if not is_overflowed(siemplify, one, siemplify.is_test_run)])
"""


def test_the_51st_alert_of_a_rule_overflows_and_each_alert_costs_two_calls(scripts: Scripts) -> None:
    run = scripts.connector(SIXTY_ALERTS)
    assert len(run.alerts) == 50
    assert [case["alert_identifier"] for case in run.overflow_cases] == [f"ticket-{n}" for n in range(50, 60)]
    assert run.platform_calls == {"GetContextProperty": 61, "SetContextProperty": 60}
    reported = run.overflow_cases[0]
    assert (reported["alert_name"], reported["product"], reported["siem_alert_id"]) == ("Rule", "Mimecast", "")
    assert reported["connector_identifier"] == "connector-1"


def test_overflow_switched_off_lets_everything_pass_without_calls(scripts: Scripts) -> None:
    scripts.platform.server.settings.overflow_policy = {"is_overflow_enabled": False}
    run = scripts.connector(SIXTY_ALERTS)
    assert (len(run.alerts), run.overflow_cases) == (60, [])
    assert run.platform_calls == {"GetContextProperty": 1}


def test_the_policy_says_how_many_and_of_what_kind(scripts: Scripts) -> None:
    scripts.platform.server.settings.overflow_policy = {"max_alerts_in_time_period": 1, "time_period_in_min": 10}
    body = f"""{ALERTS}
from TIPCommon.utils import is_overflowed
first = [is_overflowed(siemplify, one, False) for one in (alert(1, "A"), alert(2, "B"), alert(3, "A"))]
key = siemplify.context.connector_info.identifier
counts = json.loads(siemplify.get_connector_context_property(key, "overflow_data"))
for entry in counts.values():
    entry["digestion_times"] = [moment - 11 * 60_000 for moment in entry["digestion_times"]]
siemplify.set_connector_context_property(key, "overflow_data", json.dumps(counts))
later = is_overflowed(siemplify, alert(4, "A"), False)
siemplify.set_connector_context_property(key, "overflow_data", "not json")
torn = is_overflowed(siemplify, alert(5, "A"), False)
siemplify.return_package([], {{"over": first + [later, torn], "kinds": sorted(counts)}})
"""
    run = scripts.connector(body)
    assert variables(run)["over"] == [False, False, True, False, False]
    assert variables(run)["kinds"] == ["|Default Environment|Mimecast|A", "|Default Environment|Mimecast|B"]


def test_an_overflow_check_that_fails_lets_the_alert_pass_except_in_a_test_run(scripts: Scripts) -> None:
    scripts.platform.server.fail_writes(2)
    run = scripts.connector(
        f"""{ALERTS}
from TIPCommon.utils import is_overflowed
seen = [is_overflowed(siemplify, alert(1), False), attempt(is_overflowed, siemplify, alert(1), True)]
siemplify.return_package([], {{"seen": seen}})
"""
    )
    passed, raised = variables(run)["seen"]
    assert passed is False
    assert raised.startswith("Exception: Error checking overflow")


# ------------------------------------------------------------------------------------------------ runs that go wrong


def test_one_value_that_is_not_plain_loses_the_whole_package(scripts: Scripts) -> None:
    run = scripts.connector(
        f"""{ALERTS}
import datetime, decimal
def package(value):
    one = alert(1)
    one.events = [{{"value": value}}]
    siemplify.return_package([alert(0), one])
for value in (b"bytes", {{1}}, decimal.Decimal(1)):
    print(attempt(package, value), file=sys.stderr)
package(datetime.datetime.now())
"""
    )
    assert (run.exit_code, run.stdout, run.envelope) == (1, "", None)
    assert run.alerts == []
    for kind in ("bytes", "set", "decimal.Decimal", "datetime.datetime"):
        assert f"AttributeError: '{kind}' object has no attribute '__dict__'" in run.stderr


def test_returning_two_packages_spoils_the_result(scripts: Scripts) -> None:
    run = scripts.connector("siemplify.return_package([])\nsiemplify.return_package([])")
    assert (run.exit_code, run.envelope) == (0, None)
    assert "not one JSON document" in run.reason


def test_only_the_first_5000_log_rows_are_sent(scripts: Scripts) -> None:
    run = scripts.connector(
        """
        for number in range(5_000):
            siemplify.LOGGER.info(f"row {number}")
        siemplify.LOGGER.error("the late error")
        siemplify.return_package([])
        """
    )
    assert len(run.log_rows) == 5_000
    assert "the late error" not in {row["message"] for row in run.log_rows}
    assert "the late error" in run.debug_output


BLOCKED = """
import threading
siemplify.set_connector_context_property(siemplify.context.connector_info.identifier, "ready", "1")
siemplify.return_package([])
threading.Event().wait()
"""


def wait_until_ready(scripts: Scripts) -> threading.Event:
    ready = threading.Event()

    def listen(call: Call) -> None:
        if call.endpoint == "SetContextProperty":
            ready.set()

    scripts.platform.server.on_call = listen
    return ready


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_sigterm_ends_with_status_113_and_no_result(scripts: Scripts) -> None:
    ready = wait_until_ready(scripts)
    running = scripts.start_connector(BLOCKED)
    assert ready.wait(30)
    running.terminate()
    run = running.finish()
    assert (run.exit_code, run.ended, run.alerts) == (113, Ended.STOPPED, [])
    assert "output does not count" in run.reason


def test_a_killed_connector_has_no_result_whatever_it_wrote(scripts: Scripts) -> None:
    ready = wait_until_ready(scripts)
    running = scripts.start_connector(BLOCKED)
    assert ready.wait(30)
    running.kill()
    run = running.finish()
    assert run.exit_code != 0
    assert (run.ended, run.envelope) == (Ended.STOPPED, None)
    assert scripts.platform.server.store.get(4, "connector-1", "ready") is not None
