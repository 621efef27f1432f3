"""Starting, watching and stopping a script; which SDK it gets."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_scripts import REPOSITORY, Scripts

from devkit.platform import process, sdk_in_use
from devkit.platform.kill import Kill
from devkit.platform.results import Ended
from devkit.platform.runner import Platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(REPOSITORY) as platform:
        yield platform


@pytest.fixture
def scripts(platform: Platform, tmp_path: Path) -> Scripts:
    return Scripts(platform, tmp_path)


# ------------------------------------------------------------------------------------------ what a script is given


def test_a_script_gets_its_context_its_path_and_no_other_platforms_variables(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CLIENT_ADDRESS", "https://soar.example")
    monkeypatch.setenv("ONE_PLATFORM_URL_DOMAIN", "soar.example")
    monkeypatch.setenv("NO_PROXY", "upper.example")
    monkeypatch.delenv("no_proxy", raising=False)
    run = Scripts(platform, tmp_path).raw_action(
        "",
        """
        import json, os, sys
        print(json.dumps({
            "Message": json.load(sys.stdin), "ResultObjectJson": json.dumps(dict(os.environ)),
            "ResultValue": [sys.argv, os.getcwd(), sys.path], "DebugOutput": "", "ExecutionState": 0,
        }))
        """,
        {"Name": "value"},
        entities=[("A", "USER")],
        case_id=7,
        timeout_s=60,
        env_extra={"EXTRA": "1"},
    )
    assert run.envelope is not None, run.stderr
    context, variables = run.envelope["Message"], run.result_object
    arguments, folder, path = run.result_value
    assert arguments[1] == platform.server.api_key
    assert arguments[2].startswith("--logPath=")
    assert Path(folder).samefile(platform.folder)
    assert str(REPOSITORY / "Managers") in path
    assert str(sdk_in_use.paths()[0]) in path
    assert str(tmp_path) not in variables["PYTHONPATH"]
    assert {"CLIENT_ADDRESS", "ONE_PLATFORM_URL_DOMAIN", "NO_PROXY"}.isdisjoint(variables)
    assert variables["no_proxy"] == "upper.example,localhost,127.0.0.1"
    assert (variables["APP_IP"], variables["APP_PORT"]) == ("127.0.0.1", str(platform.server.port))
    assert (variables["APP_USE_SSL"], variables["EXTRA"]) == ("False", "1")
    assert context["parameters"] == {"Name": "value"}
    assert context["target_entities"] == [{"item1": "A", "item2": "USER"}]
    assert (context["case_id"], platform.server.settings.case_id) == (7, "7")
    assert {"alert_id", "environment", "workflow_id", "integration_identifier", "integration_instance"} <= set(context)
    assert {"action_definition_name", "original_requesting_user", "default_result_value"} <= set(context)


def test_managers_are_imported_by_their_bare_name(tmp_path: Path) -> None:
    managers = tmp_path / "Managers"
    managers.mkdir()
    (managers / "LocalManager.py").write_text('NAME = "found"\n', encoding="utf-8")
    with Platform(tmp_path) as platform:
        run = Scripts(platform, tmp_path).action("import LocalManager\nsiemplify.end(LocalManager.NAME, True)")
    assert run.message == "found"


def test_two_runs_count_their_own_calls(scripts: Scripts) -> None:
    for _ in range(2):
        run = scripts.connector("siemplify.return_package([])")
        assert run.platform_calls == {"GetContextProperty": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the high-water mark")
def test_the_highest_memory_of_a_run_is_seen(scripts: Scripts) -> None:
    run = scripts.action(
        """
        block = b"x" * (64 * 1024 * 1024)
        siemplify.get_configuration("Mimecast")
        del block
        siemplify.end("", True)
        """
    )
    assert run.peak_rss_mib is not None
    assert 64 < run.peak_rss_mib < 256


# ------------------------------------------------------------------------------------------------ stopping

FOREVER = """
import sys, threading
sys.stdout.write('{"ResultObjectJson": "{}", "DebugOutput": ""}')
sys.stdout.flush()
"""


def test_a_script_is_stopped_at_its_time_out_and_its_output_does_not_count(scripts: Scripts) -> None:
    path = scripts.write(FOREVER, "threading.Event().wait()")
    run = scripts.platform.run_connector(path, {}, identifier="one", timeout_s=0.3)
    assert run.ended is Ended.TIMED_OUT
    assert (run.envelope, run.alerts) == (None, [])
    assert "time-out" in run.reason
    assert run.seconds >= 0.3


def test_a_connectors_time_out_is_its_parameter(scripts: Scripts) -> None:
    path = scripts.write(FOREVER, "threading.Event().wait()")
    run = scripts.platform.run_connector(path, {"PythonProcessTimeout": "0.2"}, identifier="one")
    assert run.ended is Ended.TIMED_OUT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_script_that_does_not_go_when_asked_is_killed(scripts: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TERMINATION_GRACE_S", 0.1)
    path = scripts.write(FOREVER, "threading.Event().wait()")
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a child inherits that
    try:
        run = scripts.platform.run_connector(path, {}, identifier="one", timeout_s=0.2)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (run.ended, run.exit_code) == (Ended.TIMED_OUT, -signal.SIGKILL)


def test_stopping_what_has_ended_changes_nothing(scripts: Scripts) -> None:
    running = scripts.start_connector("siemplify.return_package([])")
    run = running.finish()
    running.terminate()
    running.kill()
    assert running.finish() is run
    assert (run.ended, run.reason) == (Ended.BY_ITSELF, "")


TWO_WRITES = """
key = siemplify.context.connector_info.identifier
siemplify.set_connector_context_property(key, "first", "1")
siemplify.set_connector_context_property(key, "second", "1")
siemplify.return_package([])
"""


@pytest.mark.parametrize(("after_applying", "stored"), [(False, {"first": "1"}), (True, {"first": "1", "second": "1"})])
def test_a_connector_can_be_killed_at_a_call_before_or_after_it_is_carried_out(
    scripts: Scripts, after_applying: bool, stored: dict[str, str]
) -> None:
    seen: list[str] = []
    scripts.platform.server.store.clear()
    scripts.platform.server.on_call = lambda call: seen.append(call.endpoint)
    at_second = Kill(lambda call: bool(call.body and call.body["PropertyKey"] == "second"), after_applying)
    run = scripts.connector(TWO_WRITES, identifier="killed", kill=at_second)
    assert (run.ended, run.envelope) == (Ended.STOPPED, None)
    assert seen.count("SetContextProperty") == 2, "who listened before still does"
    assert scripts.platform.server.store.all(4, "killed") == stored
    scripts.platform.server.on_call = None


def test_a_kill_whose_moment_never_comes_changes_nothing(scripts: Scripts) -> None:
    run = scripts.connector(TWO_WRITES, kill=Kill(lambda _: False))
    assert (run.ended, run.reason) == (Ended.BY_ITSELF, "")
    assert scripts.platform.server.on_call is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing on standard output (exit status 0)"),
        ("[]", "standard output is not a result"),
        ('{"DebugOutput": ""}', "standard output is not a result: "),
        ('{"DebugOutput": "", "ResultObjectJson": "torn {"}', "not one JSON document"),
        ("{} {}", "not one JSON document"),
        ("hello", "not one JSON document"),
    ],
)
def test_only_one_json_object_of_the_right_keys_is_a_result(scripts: Scripts, text: str, reason: str) -> None:
    path = scripts.write("", f"import sys\nsys.stdout.write({text!r})")
    run = scripts.platform.run_connector(path, {}, identifier="one")
    assert run.envelope is None
    assert reason in run.reason


# ------------------------------------------------------------------------------------------------ which SDK


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def test_without_anything_installed_our_own_sdk_is_used(empty: Path) -> None:
    sys.path.append(str(sdk_in_use.OWN_SDK))
    assert not sdk_in_use.is_google()
    assert sdk_in_use.paths() == [REPOSITORY / "devkit" / "sdk"]
    assert sdk_in_use.describe().startswith("devkit/sdk")


def test_googles_sdk_is_used_only_with_all_three_parts(empty: Path) -> None:
    install(empty, "soar_sdk", "TIPCommon")
    assert not sdk_in_use.is_google()
    install(empty, "EnvironmentCommon")
    assert sdk_in_use.is_google()
    assert sdk_in_use.paths() == [empty / "soar_sdk"]
    assert "TIPCommon (version unknown), EnvironmentCommon (version unknown)" in sdk_in_use.describe()


def test_googles_sdk_may_be_on_the_path_itself(empty: Path) -> None:
    install(empty, "TIPCommon", "EnvironmentCommon")
    (empty / "SiemplifyAction.py").touch()
    assert sdk_in_use.is_google()
    assert sdk_in_use.paths() == [empty]
