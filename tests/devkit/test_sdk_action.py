"""The SDK's contract as an action sees it: input, calls to the server, result, failures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_scripts import ACTION, REPOSITORY, Scripts, needs_tipcommon_2_4

from devkit.platform.results import ActionRun, Ended
from devkit.platform.runner import Platform
from devkit.platform.server import Call


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(REPOSITORY) as platform:
        yield platform


@pytest.fixture
def scripts(platform: Platform, tmp_path: Path) -> Scripts:
    return Scripts(platform, tmp_path)


# ------------------------------------------------------------------------------------------------ a run that goes well


@pytest.fixture(scope="module")
def good(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> ActionRun:
    return Scripts(platform, tmp_path_factory.mktemp("good")).action(
        """
        print("printed")
        siemplify.script_name = "Try"
        siemplify.LOGGER.info("logged é")
        siemplify.LOGGER.debug("not in debug mode")
        try:
            raise ValueError("the error's text")
        except ValueError as error:
            siemplify.LOGGER.exception(error)
        signal.raise_signal(signal.SIGINT)
        configuration = siemplify.get_configuration("Mimecast")
        siemplify.get_configuration("Mimecast")
        root = siemplify.extract_configuration_param("Mimecast", "API Root", is_mandatory=True)
        entity = siemplify.target_entities[0]
        entity.is_suspicious = True
        entity.additional_properties["seen"] = "yes"
        siemplify.update_entities([entity])
        before = siemplify.get_case_context_property("key")
        siemplify.set_case_context_property("key", "of the case")
        siemplify.set_alert_context_property("key", "of the alert")
        temp_file = os.path.join(siemplify.get_temp_folder_path(), "evidence.txt")
        with open(temp_file, "w") as file:
            file.write("12345")
        siemplify.add_attachment(temp_file)
        result = siemplify.result
        result.add_data_table("Results", ["a,b", "old,old"])
        result.add_data_table("Results", ["a,b", "1,2"])
        result.add_data_table("Of one", ["x", "y"], "USER")
        result.add_link("Links", "https://one")
        result.add_link("Links", "https://two")
        result.add_html("Reports", "one", "<b>1</b>")
        result.add_html("Reports", "two", "<b>2</b>")
        result.add_attachment("Files", "a.txt", "YQ==", {"ignored": "really"})
        result.add_content("Text", "content")
        result.add_json("Titled", '{"as": "text"}')
        result.add_result_json({
            "environment": siemplify.environment,
            "configuration": configuration,
            "root": root,
            "parameters": siemplify.parameters,
            "entities": [str(one) for one in siemplify.target_entities],
            "before": before,
            "after": siemplify.get_case_context_property("key"),
            "of alert": siemplify.get_alert_context_property("key"),
            "bad json": attempt(result.add_json, "Bad", "{not json"),
            "has warning": hasattr(siemplify.LOGGER, "warning"),
            "timeout reached": siemplify.is_timeout_reached,
            "temp file": temp_file,
            "folder exists": os.path.isdir(siemplify.run_folder),
            "when": {"a set": {1}},
        })
        siemplify.end("The message", False, EXECUTION_STATE_FAILED)
        """,
        {"Text": "value", "Empty": "", "Flag": "true"},
        entities=[("A@B.C", "USERUNIQNAME")],
    )


def test_end_writes_exactly_one_result_and_exits_with_0_even_for_a_failed_action(good: ActionRun) -> None:
    assert good.reason == ""
    assert good.exit_code == 0
    assert good.ended is Ended.BY_ITSELF
    assert (good.message, good.result_value, good.execution_state) == ("The message", False, 2)


def test_whatever_is_printed_or_logged_after_the_import_goes_to_the_debug_output(good: ActionRun) -> None:
    assert "printed\n" in good.debug_output
    assert "logged é\n" in good.debug_output
    assert "not in debug mode" not in good.debug_output
    assert "Traceback" in good.debug_output
    assert "the error's text" in good.debug_output


def test_each_log_line_is_on_stderr_too(good: ActionRun) -> None:
    assert "INFO] logged é" in good.stderr
    assert "not in debug mode" not in good.stderr


def test_sigint_is_ignored(good: ActionRun) -> None:
    assert "Cancellation signal" in good.debug_output


def test_the_logger_has_no_warning(good: ActionRun) -> None:
    assert good.json_result["has warning"] is False


def test_result_slots_end_in_none_without_an_entity_type(good: ActionRun) -> None:
    assert set(good.result_object) == {
        "JsonResult",
        "Results_None",
        "Of one_USER",
        "Links_None",
        "Reports_None",
        "Files_None",
        "Text_None",
        "Titled_None",
        "Bad_None",
    }


def test_a_later_table_replaces_an_earlier_one_and_links_and_reports_add_up(good: ActionRun) -> None:
    slots = good.result_object
    assert good.tables == {"Results": ["a,b", "1,2"], "Of one": ["x", "y"]}
    assert slots["Links_None"]["Links"] == ["https://one", "https://two"]
    assert slots["Reports_None"]["Htmls"] == {"one": "<b>1</b>", "two": "<b>2</b>"}
    assert slots["Files_None"]["Attachments"] == {"a.txt": "YQ=="}
    assert slots["Text_None"]["Content"] == "content"
    assert slots["Titled_None"]["RawJson"] == '{"as": "text"}'


def test_bad_json_raises_an_attribute_error(good: ActionRun) -> None:
    assert good.json_result["bad json"].startswith("AttributeError")


def test_a_json_result_that_json_does_not_know_becomes_text(good: ActionRun) -> None:
    assert good.json_result["when"] == {"a set": "{1}"}


def test_parameters_arrive_as_texts_and_empty_ones_are_not_removed(good: ActionRun) -> None:
    assert good.json_result["parameters"] == {"Text": "value", "Empty": "", "Flag": "true"}


def test_every_look_at_the_configuration_is_a_call_and_the_case_is_asked_once(good: ActionRun) -> None:
    assert good.json_result["configuration"] == {"API Root": "https://api"}
    assert good.json_result["root"] == "https://api"
    assert good.platform_calls["configuration"] == 3
    assert good.platform_calls["CaseMetadata"] == 1


def test_target_entities_come_with_the_alert(good: ActionRun, platform: Platform) -> None:
    assert good.json_result["entities"] == ["A@B.C"]
    assert good.platform_calls["AlertFullDetails"] == 1
    (updated,) = platform.server.updated_entities
    assert updated["is_suspicious"] is True
    assert updated["additional_properties"]["seen"] == "yes"
    assert updated["additional_properties"]["IsSuspicious"] == "True"


def test_case_and_alert_have_context_properties_of_their_own(good: ActionRun, platform: Platform) -> None:
    assert good.json_result["before"] is None
    assert good.json_result["after"] == "of the case"
    assert good.json_result["of alert"] == "of the alert"
    assert platform.server.store.get(1, "1", "key") == "of the case"


def test_the_temporary_folder_is_gone_after_the_end(good: ActionRun, platform: Platform) -> None:
    assert not Path(good.json_result["temp file"]).parent.exists()
    assert good.json_result["folder exists"]
    attachment = platform.server.attachments[-1]
    assert (attachment["name"], attachment["type"], attachment["base64_blob"]) == ("evidence", ".txt", "MTIzNDU=")


def test_the_deadline_lies_in_the_future(good: ActionRun) -> None:
    assert good.json_result["timeout reached"] is False


def test_without_an_alert_the_targets_are_sought_in_the_whole_case(scripts: Scripts) -> None:
    def fail_the_alert(call: Call) -> None:
        if call.endpoint == "AlertFullDetails":
            raise RuntimeError("no alert")

    scripts.platform.server.on_call = fail_the_alert
    try:
        run = scripts.action(
            """
            siemplify.result.add_result_json([str(one) for one in siemplify.target_entities])
            siemplify.end("", True)
            """,
            entities=[("A@B.C", "USERUNIQNAME"), ("10.0.0.1", "ADDRESS")],
        )
    finally:
        scripts.platform.server.on_call = None
    assert run.json_result == ["A@B.C", "10.0.0.1"]
    assert run.platform_calls["AlertsFullDetails"] == 1


# ------------------------------------------------------------------------------------------------ parameters


@pytest.fixture(scope="module")
def extracted(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> ActionRun:
    return Scripts(platform, tmp_path_factory.mktemp("extracted")).action(
        """
        from TIPCommon.extraction import extract_action_param, extract_configuration_param
        def tip(*args, **kwargs):
            return attempt(extract_action_param, siemplify, *args, **kwargs)
        def sdk(*args, **kwargs):
            return attempt(siemplify.extract_action_param, *args, **kwargs)
        seen = {
            "missing mandatory": tip("Nowhere", is_mandatory=True),
            "empty mandatory": tip("Empty", is_mandatory=True),
            "zero mandatory": tip("Zero", input_type=int, is_mandatory=True),
            "false mandatory": tip("False", input_type=bool, is_mandatory=True),
            "text 0": tip("Text 0", input_type=int, is_mandatory=True),
            "text false": tip("Text false", input_type=bool, is_mandatory=True),
            "TRUE": tip("TRUE", input_type=bool),
            "blanks mandatory": tip("Blanks", is_mandatory=True),
            "stripped": tip("Padded"),
            "kept": tip("Padded", remove_whitespaces=False),
            "integer": tip("Integer", input_type=int),
            "no integer": tip("Text", input_type=int),
            "no integer shown": tip("Text", input_type=int, print_value=True),
            "no boolean": tip("Text", input_type=bool),
            "default": tip("Nowhere", default_value=5, input_type=int),
            "default of another type": tip("Nowhere", default_value="5", input_type=int),
            "falsy default of another type": tip("Nowhere", default_value="", input_type=int),
            "unknown type": tip("Text", input_type=list),
            "float": tip("Float", input_type=float),
            "sdk keeps blanks": sdk("Padded"),
            "sdk missing": sdk("Nowhere", is_mandatory=True),
            "sdk no boolean": sdk("Text", input_type=bool),
            "configuration": attempt(extract_configuration_param, siemplify, "Mimecast", "API Root"),
            "configuration again": attempt(extract_configuration_param, siemplify, "Mimecast", "Nowhere"),
            "no provider": attempt(extract_configuration_param, siemplify, "", "API Root"),
        }
        siemplify.result.add_result_json(seen)
        siemplify.end("", True)
        """,
        {
            "Empty": "",
            "Zero": 0,
            "False": False,
            "Text 0": "0",
            "Text false": "false",
            "TRUE": "TRUE",
            "Blanks": "   ",
            "Padded": " text ",
            "Integer": " 5 ",
            "Text": "yes",
            "Float": "1.5",
        },
    )


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("missing mandatory", "Exception: Missing mandatory parameter Nowhere"),
        ("empty mandatory", "Exception: Missing mandatory parameter Empty"),
        ("zero mandatory", "Exception: Missing mandatory parameter Zero"),
        ("false mandatory", "Exception: Missing mandatory parameter False"),
        ("text 0", 0),
        ("text false", False),
        ("TRUE", True),
        ("blanks mandatory", ""),
        ("stripped", "text"),
        ("kept", " text "),
        ("integer", 5),
        ("no boolean", "Exception: Paramater named Text, with value yes isn't a valid BOOL"),
        ("default", 5),
        ("default of another type", "Exception: Given default_value of '5' doesn't match expected type int"),
        ("falsy default of another type", ""),
        ("float", 1.5),
        ("sdk keeps blanks", " text "),
        ("sdk missing", "Exception: Missing mandatory parameter Nowhere"),
        ("sdk no boolean", "Exception: Parameter named Text, with value yes isn't a valid BOOL"),
        ("configuration", "https://api"),
        ("configuration again", None),
    ],
)
def test_extracting_a_parameter(extracted: ActionRun, what: str, value: object) -> None:
    assert extracted.json_result[what] == value


@needs_tipcommon_2_4
def test_a_text_that_is_no_integer_is_named_but_only_shown_when_asked(extracted: ActionRun) -> None:
    error = 'ParameterValidationError: Invalid parameter "Text". The value must be an integer.'
    assert extracted.json_result["no integer"] == error
    assert extracted.json_result["no integer shown"] == f"{error} Wrong value provided: yes"


@needs_tipcommon_2_4
def test_a_type_that_cannot_be_extracted(extracted: ActionRun) -> None:
    assert extracted.json_result["unknown type"] == ("Exception: input_type list isn't not supported for conversion")


def test_the_provider_must_be_named(extracted: ActionRun) -> None:
    assert "provider_name cannot be None" in extracted.json_result["no provider"]


def test_each_extracted_configuration_parameter_costs_a_call(extracted: ActionRun) -> None:
    assert extracted.platform_calls["configuration"] == 2


# ------------------------------------------------------------------------------------------------ runs that go wrong


def test_a_print_before_the_import_spoils_the_result(scripts: Scripts) -> None:
    run = scripts.raw_action('print("too early")\n' + ACTION, 'siemplify.end("fine", True)')
    assert run.exit_code == 0
    assert run.envelope is None
    assert "not one JSON document" in run.reason


def test_ending_twice_spoils_the_result(scripts: Scripts) -> None:
    run = scripts.action(
        """
        try:
            siemplify.end("once", True)
        except:
            siemplify.end("twice", True)
        """
    )
    assert run.stdout.count('"Message"') == 2
    assert run.envelope is None
    assert "not one JSON document" in run.reason


def test_a_script_that_never_ends_has_no_result(scripts: Scripts) -> None:
    run = scripts.action("siemplify.LOGGER.info('that is all')")
    assert (run.exit_code, run.stdout, run.envelope) == (0, "", None)
    assert run.reason == "nothing on standard output (exit status 0)"
    assert run.platform_calls == {}, "making the SDK object costs no call"
    assert (run.message, run.result_value, run.execution_state, run.json_result) == ("", None, None, None)


def test_an_exception_out_of_main_ends_without_a_result(scripts: Scripts) -> None:
    run = scripts.action(
        """
        @output_handler
        def main():
            print("on the way")
            raise RuntimeError("broken")
        main()
        """
    )
    assert (run.exit_code, run.stdout, run.envelope) == (1, "", None)
    assert "STDOUT:\n" in run.stderr
    assert "on the way" in run.stderr
    assert "RuntimeError: broken" in run.stderr


def test_a_result_value_that_is_not_json_ends_without_a_result(scripts: Scripts) -> None:
    run = scripts.action('siemplify.end("fine", {1, 2})')
    assert (run.exit_code, run.stdout) == (1, "")
    assert "TypeError" in run.stderr


def test_a_result_above_15_mib_is_replaced_by_a_failure(scripts: Scripts) -> None:
    run = scripts.action(
        """
        siemplify.LOGGER.info("lost")
        siemplify.result.add_content("Big", "x" * 15 * 1024 * 1024)
        siemplify.end("fine", True)
        """
    )
    assert run.exit_code == 0
    assert run.message == "Action failed as JSON result exceeded maximum size 15MB"
    assert (run.execution_state, run.result_value, run.result_object) == (2, None, {})
    assert "lost" not in run.debug_output


def test_an_unknown_option_ends_the_script_before_it_begins(scripts: Scripts) -> None:
    run = scripts.raw_action('import sys\nsys.argv.append("--debugMode")\n' + ACTION, 'siemplify.end("fine", True)')
    assert (run.exit_code, run.stdout) == (1, "")
    assert "GetoptError" in run.stderr


def test_a_missing_api_key_ends_the_script_before_it_begins(scripts: Scripts) -> None:
    run = scripts.raw_action("import sys\ndel sys.argv[1:]\n" + ACTION, 'siemplify.end("fine", True)')
    assert (run.exit_code, run.stdout) == (1, "")
    assert "IndexError" in run.stderr


def test_a_wrong_api_key_is_refused_and_so_is_an_attachment_above_50_mb(scripts: Scripts) -> None:
    run = scripts.action(
        """
        siemplify.session.headers["AppKey"] = "wrong"
        siemplify.result.add_result_json({
            "configuration": attempt(siemplify.get_configuration, "Mimecast"),
            "attachment": attempt(siemplify.result.add_attachment, "Files", "big", "x" * (50 * 1024 * 1024 + 1)),
        })
        siemplify.end("", True)
        """
    )
    assert "401" in run.json_result["configuration"]
    assert run.json_result["attachment"].startswith("OSError")


def test_the_platforms_proxy_is_announced_through_the_environment(scripts: Scripts) -> None:
    scripts.platform.server.settings.proxy = {
        "proxy_server_address": "http://proxy.example:3128",
        "username": "user",
        "password": "pass word",
        "ignore_addresses": ["internal.example"],
    }
    run = scripts.action(
        """
        names = ("http_proxy", "https_proxy", "no_proxy")
        siemplify.result.add_result_json({name: os.environ.get(name) for name in names})
        siemplify.end("", True)
        """,
        use_proxy=True,
    )
    proxy = "http://user:pass%20word@proxy.example:3128"
    assert run.json_result == {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": "internal.example"}
    assert run.platform_calls["GetProxySettings"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_sigterm_ends_with_status_113_no_result_and_no_temporary_folder(scripts: Scripts) -> None:
    reached = threading.Event()
    folders: list[str] = []

    def listen(call: Call) -> None:
        if call.endpoint == "SetContextProperty":
            folders.append(call.body["PropertyValue"])
            reached.set()

    scripts.platform.server.on_call = listen
    try:
        running = scripts.start_action(
            """
            import threading
            siemplify.set_case_context_property("folder", siemplify.get_temp_folder_path())
            try:
                threading.Event().wait()
            except Exception:
                siemplify.end("swallowed", True)
            """
        )
        assert reached.wait(30)
        running.terminate()
        run = running.finish()
    finally:
        scripts.platform.server.on_call = None
    assert (run.exit_code, run.stdout, run.ended) == (113, "", Ended.STOPPED)
    assert "output does not count" in run.reason
    assert not Path(folders[0]).exists()
