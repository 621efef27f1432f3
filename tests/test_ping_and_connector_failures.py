"""Bad input and failure: Ping and the connector answer with a readable message and a proper result, whatever happens.

Here in this process; `test_ping_and_connector_processes` shows for some cases what the platform gets of them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, SSLError

from devkit.mimecast import app as embedded
from devkit.mimecast.envelope import Call, FunctionError
from devkit.mimecast.faults import Fault
from devkit.mimecast.tenant import READ_ACCOUNT, READ_TRACKING, Tenant
from tests.actions.support import ACCOUNT, COMPLETED, FAILED, TOKEN, TRACKING, Desk
from tests.connector.mails import held_mails
from tests.connector.world import START, World

PING_OK = "Successfully connected to the Mimecast server with the provided connection parameters!"
PING_FAILED = "Failed to connect to the Mimecast server! Error is "
HMAC_NAMES = ("Application ID", "Application Key", "Access Key", "Secret Key")
OAUTH_NAMES = ("Client ID", "Client Secret")

AN_API_ROOT = "https://eu-api.mimecast.com"
NOT_ACCEPTED = (
    "Mimecast doesn't accept the credentials. Check the keys, and that the API Root is your account's region. "
    "Mimecast says: "
)
EXPIRED = (
    "The Access Key has expired. Create new keys in Mimecast, with an authentication profile whose "
    '"Authentication Cache TTL" never expires, and put them into the configuration. Mimecast says: 0018 Binding Expired'
)
LACKING = "The credentials lack a permission: check the role and, for API 2.0, the application's products. It needs "
NOT_TRUSTED = (
    "The certificate of {host} isn't trusted. Install its authority's certificate, or turn \"Verify SSL\" off if you "
    "know why it isn't."
)
REFUSED = '{host} refuses the connection. Check "API Root", the proxy and the firewall.'
PAGE = (
    "Mimecast, or something on the way to it, gave a web page instead of JSON (HTTP 200). "
    'Check "API Root" and the proxy.'
)


def no_secret_in(text: str, tenant: Tenant) -> bool:
    known = tenant.credentials
    keys = (known.application_key, known.access_key, known.secret_key, known.client_secret)
    return not any(key in text for key in keys)


# --- what can be known beforehand -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A configuration that can't work, and what is said about it."""

    changes: dict[str, Any]
    reason: str
    oauth: bool = False


BEFOREHAND = {
    "one of four keys is missing": Wrong(
        {"Access Key": ""}, 'Credentials are incomplete. Missing for API 1.0: "Access Key".'
    ),
    "all but one of the keys are missing": Wrong(
        dict.fromkeys(HMAC_NAMES[1:], " "),
        'Credentials are incomplete. Missing for API 1.0: "Application Key", "Access Key", "Secret Key".',
    ),
    "no credentials at all": Wrong(
        dict.fromkeys(HMAC_NAMES, ""),
        'Credentials are incomplete. Missing for API 2.0: "Client ID", "Client Secret"; or for API 1.0: '
        '"Application ID", "Application Key", "Access Key", "Secret Key".',
    ),
    "client secret is missing": Wrong(
        {"Client Secret": ""}, 'Credentials are incomplete. Missing for API 2.0: "Client Secret".', oauth=True
    ),
    "both sets are incomplete": Wrong(
        {"Client ID": "an-id", "Secret Key": ""},
        'Credentials are incomplete. Missing for API 2.0: "Client Secret"; or for API 1.0: "Secret Key".',
    ),
    "secret key is not base64": Wrong(
        {"Secret Key": "not base64!"},
        'The value of "Secret Key" is not base64 text. Copy it again from Mimecast, whole and without blanks.',
    ),
    "key with a line break": Wrong(
        {"Access Key": "key\nkey"},
        'Parameter "Access Key": it holds a blank, a line break or a letter that no key has; copy it again from '
        "Mimecast.",
    ),
    "API Root without scheme": Wrong(
        {"API Root": "eu-api.mimecast.com"},
        f'Parameter "API Root": it must start with https:// and name a host, such as {AN_API_ROOT}.',
    ),
    "API Root with a blank": Wrong(
        {"API Root": "https://eu-api. mimecast.com"}, 'Parameter "API Root": there is a blank inside it.'
    ),
    "API Root with a path": Wrong(
        {"API Root": f"{AN_API_ROOT}/api"},
        f'Parameter "API Root": only scheme and host belong there, such as {AN_API_ROOT}.',
    ),
    "API Root is still the example": Wrong(
        {"API Root": "https://{{api root}}"},
        f'Parameter "API Root": the example text is still there; enter your tenant\'s address, {AN_API_ROOT} say.',
    ),
    "API Root is empty": Wrong({"API Root": " "}, f'Parameter "API Root": a value is needed, such as {AN_API_ROOT}.'),
    "Verify SSL is no boolean": Wrong(
        {"Verify SSL": "yes"}, 'Parameter "Verify SSL": only true and false are possible.', oauth=True
    ),
}


@pytest.mark.parametrize("wrong", BEFOREHAND.values(), ids=BEFOREHAND)
def test_ping_says_what_is_wrong_with_the_configuration_and_sends_nothing(wrong: Wrong) -> None:
    desk = Desk(oauth=wrong.oauth)
    desk.configuration |= wrong.changes
    run = desk.run("ping")
    assert run.message == PING_FAILED + wrong.reason
    assert (run.exit_code, run.execution_state, run.result_value) == (0, FAILED, False)
    assert desk.calls == []
    assert no_secret_in(run.stdout, desk.tenant)


@pytest.mark.parametrize("wrong", BEFOREHAND.values(), ids=BEFOREHAND)
def test_the_connector_says_what_is_wrong_with_the_configuration_and_sends_nothing(wrong: Wrong) -> None:
    world = World(oauth=wrong.oauth)
    world.parameters |= wrong.changes
    result = world.cycle()
    assert result.log.text("error") == f"The cycle failed: {wrong.reason}"
    assert (result.packages, result.alerts, dict(result.requests)) == (1, [], {})
    assert world.memory.context == {}
    assert no_secret_in(result.log.text(), world.tenant)


CONNECTOR_BEFOREHAND = {
    "Domains is empty": ({"Domains": ""}, 'Parameter "Domains": at least one domain is needed, such as example.com.'),
    "Domains has empty items only": (
        {"Domains": " , ,"},
        'Parameter "Domains": at least one domain is needed, such as example.com.',
    ),
    "Status Filter has unknown values only": (
        {"Status Filter": "hold, spam"},
        'Parameter "Status Filter": none of its values is known (hold, spam). '
        "Possible values: delivery, held, accepted, bounced, deferred, rejected, archived.",
    ),
    "Route Filter has unknown values only": (
        {"Route Filter": "sideways"},
        'Parameter "Route Filter": none of its values is known (sideways). '
        "Possible values: internal, outbound, inbound.",
    ),
    "a boolean is none": (
        {"Ingest Messages Without Risk": "maybe"},
        'Parameter "Ingest Messages Without Risk": only true and false are possible.',
    ),
}


@pytest.mark.parametrize(("changes", "reason"), CONNECTOR_BEFOREHAND.values(), ids=CONNECTOR_BEFOREHAND)
@pytest.mark.parametrize("test_run", [False, True])
def test_the_connector_says_which_of_its_parameters_is_wrong_and_sends_nothing(
    changes: dict[str, str], reason: str, test_run: bool
) -> None:
    world = World()
    world.parameters |= changes
    result = world.cycle(test_run=test_run)
    assert result.log.text("error") == f"The cycle failed: {reason}"
    assert (result.packages, result.alerts, dict(result.requests)) == (1, [], {})
    assert world.memory.context == {}


# --- what works all the same ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["PythonProcessTimeout", "Max Hours Backwards", "Max Messages To Return"])
@pytest.mark.parametrize("written", ["ten", "5.0", "0", "-1"])
def test_a_number_that_makes_no_sense_costs_a_warning_and_no_alert(name: str, written: str) -> None:
    world = World()
    world.tenant.add(*held_mails(3, START - timedelta(minutes=10)))
    world.parameters[name] = written
    result = world.cycle()
    assert len(result.alerts) == 3
    assert f'Parameter "{name}": {written} is not a whole number from 1' in result.log.text("warn")
    assert result.log.text("error") == ""


def test_unknown_filter_values_beside_known_ones_cost_a_warning_and_no_alert() -> None:
    world = World(Status_Filter="spam,Held", Route_Filter="inbound,sideways", Lowest_Risk_To_Fetch="none")
    world.tenant.add(*held_mails(3, START - timedelta(minutes=10)))
    result = world.cycle()
    assert len(result.alerts) == 3
    for dropped in ("spam is ignored", "sideways is ignored", "none is ignored"):
        assert dropped in result.log.text("warn")


@pytest.mark.parametrize("root", ["https://mimecast.test/", "  https://mimecast.test  ", "https://mimecast.test//\n"])
def test_an_api_root_with_a_slash_at_its_end_or_blanks_around_works(root: str) -> None:
    desk = Desk()
    desk.configuration["API Root"] = root
    assert desk.run("ping").message == PING_OK
    world = World(API_Root=root)
    world.tenant.add(*held_mails(1, START - timedelta(minutes=10)))
    assert len(world.cycle().alerts) == 1


# --- what only Mimecast can say ---------------------------------------------------------------------------------------


def function_fails(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def refuse(tenant: Tenant, call: Call) -> Any:
        raise FunctionError("err_some_code", "This is Mimecast's own text")

    known = embedded.ENDPOINTS[path]
    monkeypatch.setitem(embedded.ENDPOINTS, path, embedded.Endpoint(refuse, known.permission, body_optional=True))


def unreachable(reason: Any) -> requests.RequestException:
    return requests.exceptions.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def not_trusted() -> requests.RequestException:
    import ssl

    cause = SSLError(ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate"))
    return requests.exceptions.SSLError(MaxRetryError(None, "/", cause))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Failure:
    """Something that fails at Mimecast or on the way to it, and what is said about it.

    Attributes:
        reason: What is said, with ``{permission}`` and ``{path}`` of the function that is called first.
        arrange: Makes it fail.
        changes: Wrong values in the configuration.
        error: What the HTTP library raises for each request.
        oauth: Whether API 2.0 is used.
        ping_calls: How many requests Ping makes.
    """

    reason: str
    arrange: Callable[[Tenant], object] = lambda tenant: None
    changes: dict[str, str] = field(default_factory=dict)
    error: requests.RequestException | None = None
    oauth: bool = False
    ping_calls: int = 1


NEEDED = LACKING + '"{permission}"; {path} was called. Mimecast says: '
FAILURES = {
    "wrong access key": Failure(NOT_ACCEPTED + "0004 Invalid Signature", changes={"Access Key": "another"}),
    "wrong application": Failure(NOT_ACCEPTED + "0001 Invalid application", changes={"Application ID": "another"}),
    "wrong client secret": Failure(
        f'Mimecast doesn\'t accept "Client ID" and "Client Secret". {NOT_ACCEPTED}Client credentials are invalid',
        changes={"Client Secret": "another"},
        oauth=True,
    ),
    "expired access key": Failure(EXPIRED, lambda tenant: setattr(tenant, "access_key_expired", True)),
    "missing permission, API 1.0": Failure(
        NEEDED + "Forbidden: needs {permission}", lambda tenant: tenant.permissions.clear()
    ),
    "missing permission, API 2.0": Failure(
        NEEDED + "Resource or method requested does not exist in any product assigned to the application",
        lambda tenant: tenant.permissions.clear(),
        oauth=True,
        ping_calls=2,
    ),
    "function outside of the products": Failure(
        NEEDED + "Resource or method requested does not exist in any product assigned to the application",
        lambda tenant: tenant.unavailable.update({ACCOUNT, TRACKING}),
        oauth=True,
        ping_calls=2,
    ),
    "unknown host": Failure(
        'The host mimecast.test is unknown. Check "API Root" and DNS.',
        error=unreachable(NameResolutionError("mimecast.test", None, socket.gaierror(-2, "unknown"))),  # type: ignore[arg-type]
        ping_calls=4,
    ),
    "refused connection": Failure(
        REFUSED.format(host="mimecast.test"),
        error=unreachable(NewConnectionError(None, "refused")),  # type: ignore[arg-type]
        ping_calls=4,
    ),
    "certificate not trusted": Failure(NOT_TRUSTED.format(host="mimecast.test"), error=not_trusted()),
    "200 with a web page": Failure(PAGE, lambda tenant: tenant.fault(Fault("html", times=None)), ping_calls=4),
    "200 with a web page, API 2.0": Failure(
        PAGE, lambda tenant: tenant.fault(Fault("html", times=None)), oauth=True, ping_calls=4
    ),
    "200 with nothing": Failure(
        PAGE.replace("a web page instead of JSON", "an empty answer"),
        lambda tenant: tenant.fault(Fault("empty", times=None)),
        ping_calls=4,
    ),
    "200 with torn JSON": Failure(
        PAGE.replace("a web page instead of JSON", "an answer that is no complete JSON document"),
        lambda tenant: tenant.fault(Fault("torn", times=None)),
        ping_calls=4,
    ),
    "500": Failure(
        "Mimecast answered with HTTP 500. Mimecast says: Internal server error",
        lambda tenant: tenant.fault(Fault("500", times=None)),
        ping_calls=4,
    ),
    "no quota before the deadline": Failure(
        "Mimecast's request quota is used up; it asks to wait 3600 s, which is longer than the time left for this run. "
        "Run it again later, or ask Mimecast for a higher quota.",
        lambda tenant: tenant.fault(Fault("429", times=None, reset_ms=3_600_000)),
    ),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_ping_says_what_failed(failure: Failure) -> None:
    desk = Desk(oauth=failure.oauth)
    desk.configuration |= failure.changes
    failure.arrange(desk.tenant)
    if failure.error:
        desk.canned[ACCOUNT] = failure.error
    run = desk.run("ping")
    assert run.message == PING_FAILED + failure.reason.replace("{permission}", READ_ACCOUNT).replace("{path}", ACCOUNT)
    assert (run.exit_code, run.execution_state, run.result_value) == (0, FAILED, False)
    assert len(desk.calls) == failure.ping_calls
    assert no_secret_in(run.stdout, desk.tenant)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_the_connector_says_what_failed_and_loses_nothing_by_it(failure: Failure) -> None:
    world = World(oauth=failure.oauth)
    world.tenant.add(*held_mails(2, START - timedelta(minutes=10)))
    good, permissions = dict(world.parameters), set(world.tenant.permissions)
    world.parameters |= failure.changes
    failure.arrange(world.tenant)

    def fail(number: int, path: str) -> None:
        if failure.error:
            raise failure.error

    result = world.cycle(before=fail)
    expected = failure.reason.replace("{permission}", READ_TRACKING).replace("{path}", TRACKING)
    assert expected in result.log.text("error")
    assert (result.packages, result.alerts) == (1, [])
    assert no_secret_in(result.log.text(), world.tenant)

    world.parameters = good
    world.tenant.faults.clear()
    world.tenant.permissions, world.tenant.access_key_expired = permissions, False
    world.tenant.unavailable.clear()
    world.time.sleep(30 * 60 + 3600)  # longer than Max Hours Backwards
    assert len(world.cycle().alerts) == 2


def test_ping_passes_on_what_the_function_says_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    function_fails(monkeypatch, ACCOUNT)
    desk = Desk()
    run = desk.run("ping")
    assert run.message == f"{PING_FAILED}This is Mimecast's own text"
    assert (run.execution_state, run.result_value, desk.calls) == (FAILED, False, [ACCOUNT])


def test_the_connector_passes_on_what_the_function_says(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    with monkeypatch.context() as patch:
        function_fails(patch, TRACKING)
        result = world.cycle()
    assert "This is Mimecast's own text" in result.log.text("error")
    assert (result.packages, result.alerts) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [{"meta": {"status": 200}, "data": [], "fail": []}, {"meta": {"status": 200}, "data": None}, {"fail": []}],
    ids=["no rows", "null", "no data"],
)
def test_ping_needs_account_data_for_a_success(answer: Any) -> None:
    desk = Desk()
    desk.canned[ACCOUNT] = answer
    run = desk.run("ping")
    assert run.message == (f"{PING_FAILED}Mimecast answered without any account data. Check the API Root and the role.")
    assert (run.execution_state, run.result_value) == (FAILED, False)


@pytest.mark.parametrize(("oauth", "calls"), [(False, [ACCOUNT]), (True, [TOKEN, ACCOUNT])])
def test_ping_costs_one_request_with_api_1_and_two_with_api_2(oauth: bool, calls: list[str]) -> None:
    desk = Desk(oauth=oauth)
    run = desk.run("ping")
    assert (run.message, run.execution_state, run.result_value) == (PING_OK, COMPLETED, True)
    assert desk.calls == calls
