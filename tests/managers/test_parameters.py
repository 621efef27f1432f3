"""What users write into the forms of the integration and the connector, right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

from MimecastConstants import RISKS, ROUTES, STATUSES
from MimecastExceptions import ConfigurationError, MimecastError, ValidationError
from MimecastParameters import (
    Configuration,
    ConnectorParameters,
    NoParameters,
    is_placeholder,
    read_configuration,
    split_list,
)
from tests.managers.fakes import (
    ACCESS_KEY,
    APPLICATION_ID,
    APPLICATION_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    SECRET_KEY,
    SECRETS,
)

API_ROOT = "https://eu-api.mimecast.com"
API_1 = {
    "Application ID": APPLICATION_ID,
    "Application Key": APPLICATION_KEY,
    "Access Key": ACCESS_KEY,
    "Secret Key": SECRET_KEY,
}
API_2 = {"Client ID": CLIENT_ID, "Client Secret": CLIENT_SECRET}
BLANKS: tuple[Any, ...] = ("", "  ", "\t\n", None)

A_VALUE = "a value is needed, such as https://eu-api.mimecast.com"
EXAMPLE = "the example text is still there; enter your tenant's address, https://eu-api.mimecast.com say"
SCHEME = "it must start with https:// and name a host, such as https://eu-api.mimecast.com"
ONLY_HOST = "only scheme and host belong there, such as https://eu-api.mimecast.com"
BOOLEAN = "only true and false are possible"
NO_KEY = "it holds a blank, a line break or a letter that no key has; copy it again from Mimecast"


def configuration(**changes: Any) -> Configuration:
    """A configuration with both sets of credentials, apart from the changes."""
    values = {"API Root": API_ROOT, "Verify SSL": "true"} | API_1 | API_2
    return read_configuration(values | {name.replace("_", " "): value for name, value in changes.items()})


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configuration(**changes)
    return caught.value.message


# --- API Root ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "used"),
    [
        (API_ROOT, API_ROOT),
        (f"{API_ROOT}/", API_ROOT),
        (f"{API_ROOT}//", API_ROOT),
        (f"  {API_ROOT}\r\n", API_ROOT),
        (f"\t{API_ROOT}/ ", API_ROOT),
        ("HTTPS://eu-api.mimecast.com", API_ROOT),
        (f"{API_ROOT}:8443/", f"{API_ROOT}:8443"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_api_root_may_end_with_slashes_and_have_blanks_around(written: str, used: str) -> None:
    assert configuration(API_Root=written).api_root == used


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        *((blank, A_VALUE) for blank in BLANKS),
        ("https://{{api root}}", EXAMPLE),
        ("<<api root>>", EXAMPLE),
        ("eu-api.mimecast.com", SCHEME),
        ("//eu-api.mimecast.com", SCHEME),
        ("eu-api.mimecast.com:443", SCHEME),
        ("https:/eu-api.mimecast.com", SCHEME),
        ("https:eu-api.mimecast.com", SCHEME),
        ("https://", SCHEME),
        ("https:///", SCHEME),
        ("ftp://eu-api.mimecast.com", SCHEME),
        ("file:///etc/passwd", SCHEME),
        ("https://eu api.mimecast.com", "there is a blank inside it"),
        ("https://eu-api.mimecast.com /", "there is a blank inside it"),
        ("https://eu-api.mime\ncast.com", "there is a blank inside it"),
        (f"{API_ROOT}/api", ONLY_HOST),
        (f"{API_ROOT}/api/account/get-account", ONLY_HOST),
        (f"{API_ROOT}?a=b", ONLY_HOST),
        (f"{API_ROOT}#a", ONLY_HOST),
        ("https://user:password@eu-api.mimecast.com", ONLY_HOST),
        (f"{API_ROOT}:port", "its port is no number"),
        (f"{API_ROOT}:99999", "its port is no number"),
        ("https://[::1", "Invalid IPv6 URL"),
        (f"{API_ROOT},https://us-api.mimecast.com", ONLY_HOST),
    ],
)
def test_an_api_root_that_can_not_work_is_refused_with_what_is_wrong(written: Any, problem: str) -> None:
    assert refusal(API_Root=written) == f'Parameter "API Root": {problem}.'


def test_an_api_root_that_is_not_there_at_all_is_missing() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(API_1)
    assert caught.value.message == f'Parameter "API Root": {A_VALUE}.'


# --- Verify SSL -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("true", True),
        ("True", True),
        (" TRUE ", True),
        (True, True),
        ("false", False),
        ("False", False),
        (False, False),
        *((blank, True) for blank in BLANKS),
    ],
)
def test_verify_ssl_is_true_or_false_and_true_if_nothing_is_said(written: Any, used: bool) -> None:
    assert configuration(Verify_SSL=written).verify_ssl is used


@pytest.mark.parametrize("written", ["yes", "no", "1", "0", "on", "ture", "truefalse", 1, 0, "none"])
def test_verify_ssl_that_is_no_boolean_is_refused_rather_than_guessed(written: Any) -> None:
    assert refusal(Verify_SSL=written) == f'Parameter "Verify SSL": {BOOLEAN}.'


def test_a_playbook_placeholder_that_was_not_filled_is_named() -> None:
    assert refusal(Verify_SSL="[Event.Verify]") == (
        'Parameter "Verify SSL": the playbook placeholder [Event.Verify] was not filled; use true or false.'
    )


# --- credentials ------------------------------------------------------------------------------------------------------


def test_api_2_is_used_when_both_sets_are_complete() -> None:
    assert configuration().uses_api_2


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("missing", API_2)
def test_api_1_is_used_when_only_its_set_is_complete(missing: str, blank: Any) -> None:
    assert not configuration(**{missing: blank}).uses_api_2
    assert not read_configuration({"API Root": API_ROOT} | API_1).uses_api_2


@pytest.mark.parametrize("missing", API_1)
def test_api_2_is_used_when_only_its_set_is_complete(missing: str) -> None:
    assert configuration(**{missing: ""}).uses_api_2
    assert read_configuration({"API Root": API_ROOT} | API_2).uses_api_2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            (),
            'for API 2.0: "Client ID", "Client Secret"; or for API 1.0: "Application ID", "Application Key", '
            '"Access Key", "Secret Key"',
        ),
        (("Client ID",), 'for API 2.0: "Client Secret"'),
        (("Client Secret",), 'for API 2.0: "Client ID"'),
        (("Application ID",), 'for API 1.0: "Application Key", "Access Key", "Secret Key"'),
        (("Application ID", "Application Key", "Secret Key"), 'for API 1.0: "Access Key"'),
        (("Application ID", "Application Key", "Access Key"), 'for API 1.0: "Secret Key"'),
        (
            ("Client ID", "Access Key"),
            'for API 2.0: "Client Secret"; or for API 1.0: "Application ID", "Application Key", "Secret Key"',
        ),
    ],
)
@pytest.mark.parametrize("blank", BLANKS)
def test_an_incomplete_set_of_credentials_names_every_missing_parameter(
    given: tuple[str, ...], said: str, blank: Any
) -> None:
    changes = {name: blank for name in API_1 | API_2 if name not in given}
    assert refusal(**changes) == f"Credentials are incomplete. Missing {said}."


@pytest.mark.parametrize("name", ["Application ID", "Access Key"])
@pytest.mark.parametrize("value", ["two words", "line\nbreak", "tab\tinside", "schlüssel", "zero\u200bwidth", "\x00"])
def test_a_key_that_no_header_can_carry_is_refused(name: str, value: str) -> None:
    assert refusal(**{name: value}) == f'Parameter "{name}": {NO_KEY}.'


def test_blanks_around_credentials_are_not_part_of_them() -> None:
    padded = configuration(**{name: f" {value}\r\n" for name, value in (API_1 | API_2).items()})
    assert padded == configuration()


def test_several_wrong_parameters_are_all_named() -> None:
    assert refusal(API_Root="nowhere", Verify_SSL="perhaps") == (
        f'Parameter "API Root": {SCHEME}. Parameter "Verify SSL": {BOOLEAN}.'
    )


def test_no_secret_is_in_what_is_shown_of_a_configuration() -> None:
    keys = [secret for secret in SECRETS if secret not in (APPLICATION_ID, CLIENT_ID)]
    shown = f"{configuration()!r} {configuration()}"
    assert [key for key in keys if key in shown] == []
    for changes in (
        {"Verify_SSL": "perhaps"},
        {"Client_Secret": "", "Access_Key": ""},
        {"Access_Key": f"{ACCESS_KEY} x"},
    ):
        assert [key for key in keys if key in refusal(**changes)] == []


def test_unknown_names_are_none_of_our_business() -> None:
    assert read_configuration({"API Root": API_ROOT, "Run On Agent": "x"} | API_2).uses_api_2


def test_a_configuration_is_not_changed_once_it_is_read() -> None:
    with pytest.raises(Exception, match="frozen"):
        configuration().api_root = "https://elsewhere.test"


# --- connector --------------------------------------------------------------------------------------------------------


def parameters(**changes: Any) -> tuple[ConnectorParameters, list[str]]:
    """The connector's parameters, and the warnings that reading them gave."""
    warnings: list[str] = []
    values = {"Domains": "corp.example"} | {name.replace("_", " "): value for name, value in changes.items()}
    return ConnectorParameters.read(values, warnings=warnings), warnings


def connector_refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        parameters(**changes)
    return caught.value.message


def test_the_defaults_are_those_of_the_specification() -> None:
    read, warnings = parameters()
    assert warnings == []
    assert (read.timeout_s, read.max_hours_backwards, read.max_messages) == (180, 1, 100)
    assert (read.statuses, read.routes, read.queue_reasons, read.lowest_risk) == ((), (), (), "")
    assert (read.ingest_without_risk, read.allow_list_is_block_list) == (True, True)
    assert (read.environment_field, read.environment_pattern) == ("", ".*")
    assert read.device_product_field == "Product Name"


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_parameter_is_the_same_as_an_absent_one(blank: Any) -> None:
    names = [field.alias for field in ConnectorParameters.model_fields.values() if field.alias != "Domains"]
    assert parameters(**{str(name): blank for name in names}) == parameters()


@pytest.mark.parametrize("written", [*BLANKS, ",", " , ,, ", "\n,\r\n"])
def test_domains_that_name_none_are_refused(written: Any) -> None:
    assert connector_refusal(Domains=written) == (
        'Parameter "Domains": at least one domain is needed, such as example.com.'
    )


def test_domains_that_are_not_there_at_all_are_refused() -> None:
    with pytest.raises(MimecastError) as caught:
        ConnectorParameters.read({})
    assert caught.value.message == 'Parameter "Domains": at least one domain is needed, such as example.com.'


def test_domains_are_taken_without_blanks_empty_items_ats_and_repetitions() -> None:
    read, _ = parameters(Domains=" a.com, ,B.com,\r\n@c.com,a.COM,,")
    assert read.domains == ("a.com", "b.com", "c.com")


@pytest.mark.parametrize(("name", "known"), [("Status Filter", STATUSES), ("Route Filter", ROUTES)])
def test_a_filter_of_unknown_values_only_lists_the_possible_ones(name: str, known: tuple[str, ...]) -> None:
    assert connector_refusal(**{name: "hold, spam"}) == (
        f'Parameter "{name}": none of its values is known (hold, spam). Possible values: {", ".join(known)}.'
    )


def test_an_unknown_value_beside_a_known_one_is_dropped_with_a_warning() -> None:
    read, warnings = parameters(Status_Filter="Held, spam,BOUNCED,junk,held", Route_Filter="inbound,sideways")
    assert read.statuses == ("held", "bounced")
    assert read.routes == ("inbound",)
    assert warnings == [
        f'Parameter "Status Filter": spam, junk is ignored. Possible values: {", ".join(STATUSES)}.',
        f'Parameter "Route Filter": sideways is ignored. Possible values: {", ".join(ROUTES)}.',
    ]


@pytest.mark.parametrize("written", [",", " , ", "\n"])
def test_a_filter_of_empty_items_is_an_empty_filter(written: str) -> None:
    read, warnings = parameters(Status_Filter=written, Route_Filter=written, Queue_Reason_Filter=written)
    assert (read.statuses, read.routes, read.queue_reasons, warnings) == ((), (), (), [])


def test_queue_reasons_are_compared_without_regard_to_case() -> None:
    read, _ = parameters(Queue_Reason_Filter=" Relaxed Spam Detection ,STRASSE, Straße")
    assert read.queue_reasons[0] == "relaxed spam detection"
    assert set(read.queue_reasons[1:]) == {"strasse"}


@pytest.mark.parametrize("written", ["negligible", "Low", "MEDIUM", " High "])
def test_a_risk_is_compared_without_regard_to_case(written: str) -> None:
    assert parameters(Lowest_Risk_To_Fetch=written)[0].lowest_risk == written.strip().lower()


@pytest.mark.parametrize("written", ["critical", "0", "low,high", "None"])
def test_an_unknown_risk_is_ignored_with_a_warning(written: str) -> None:
    read, warnings = parameters(Lowest_Risk_To_Fetch=written)
    assert read.lowest_risk == ""
    assert warnings == [f'Parameter "Lowest Risk To Fetch": {written} is ignored. Possible values: {", ".join(RISKS)}.']


NUMBERS = {
    "PythonProcessTimeout": ("timeout_s", 180, "a whole number from 1 up"),
    "Max Hours Backwards": ("max_hours_backwards", 1, "a whole number from 1 to 720"),
    "Max Messages To Return": ("max_messages", 100, "a whole number from 1 up"),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "written", ["ten", "5.0", "1e3", "0", "-1", "-720", "1,000", "5 h", "0x10", "--5", "∞", 0, 2.5, True]
)
def test_a_number_that_makes_no_sense_is_replaced_by_the_default_with_a_warning(name: str, written: Any) -> None:
    attribute, default, allowed = NUMBERS[name]
    read, warnings = parameters(**{name: written})
    assert getattr(read, attribute) == default
    assert warnings == [f'Parameter "{name}": {written} is not {allowed}; {default} is used.']


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("written", "used"), [("1", 1), (" 720 ", 720), ("+5", 5), ("007", 7), (24, 24)])
def test_a_number_that_makes_sense_is_used(name: str, written: Any, used: int) -> None:
    read, warnings = parameters(**{name: written})
    assert (getattr(read, NUMBERS[name][0]), warnings) == (used, [])


@pytest.mark.parametrize("written", ["721", "999999999999999999999"])
def test_more_hours_than_mimecast_keeps_are_not_used(written: str) -> None:
    read, warnings = parameters(Max_Hours_Backwards=written)
    assert read.max_hours_backwards == 1
    assert len(warnings) == 1


def test_a_number_with_too_many_digits_to_be_one_is_replaced_too() -> None:
    read, warnings = parameters(Max_Messages_To_Return="9" * 5000)
    assert read.max_messages == 100
    assert len(warnings) == 1


@pytest.mark.parametrize("name", ["Ingest Messages Without Risk", "Use whitelist as a blacklist"])
def test_a_boolean_that_is_none_is_refused(name: str) -> None:
    assert connector_refusal(**{name: "perhaps"}) == f'Parameter "{name}": {BOOLEAN}.'
    read, _ = parameters(**{name: "False"})
    assert [read.ingest_without_risk, read.allow_list_is_block_list].count(False) == 1


@pytest.mark.parametrize("pattern", ["[", "(", "*", "a{2,1}", "\\"])
def test_a_pattern_that_is_no_regular_expression_is_replaced_with_a_warning(pattern: str) -> None:
    read, warnings = parameters(Environment_Regex_Pattern=pattern)
    assert read.environment_pattern == ".*"
    assert warnings == ['Parameter "Environment Regex Pattern": it is no regular expression; .* is used.']


def test_everything_that_is_wrong_is_named_at_once() -> None:
    message = connector_refusal(Domains=",", Status_Filter="x", **{"Ingest Messages Without Risk": "?"})
    assert message.count('Parameter "') == 3
    for name in ("Domains", "Status Filter", "Ingest Messages Without Risk"):
        assert f'Parameter "{name}": ' in message


# --- what all share ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b ", ("a", "b")),
        ("a,\nb\r\nc", ("a", "b", "c")),
        (",,a,, ,b,", ("a", "b")),
        ("b,a,b", ("b", "a")),
        ("two words,x", ("two words", "x")),
    ],
)
def test_a_list_keeps_its_order_and_loses_empty_and_repeated_items(text: str, items: tuple[str, ...]) -> None:
    assert split_list(text) == items


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("[Event.x]", True),
        ("[a]", True),
        ("[]", False),
        ("x [a]", False),
        ("[a] [b]", False),
        ("[[a]]", False),
        ("", False),
    ],
)
def test_a_placeholder_is_a_whole_value_in_brackets(text: str, is_one: bool) -> None:
    assert is_placeholder(text) is is_one


def test_an_action_without_parameters_takes_none_and_minds_none() -> None:
    assert NoParameters.read({}) == NoParameters.read({"Anything": "x"})
