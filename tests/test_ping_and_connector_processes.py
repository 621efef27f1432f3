"""Bad input and failure as the platform meets them: real processes, HTTP, the SDK that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from devkit.laptop import Laptop, embedded_configuration
from devkit.mimecast.faults import Fault
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import READ_ACCOUNT, Tenant
from devkit.platform.results import ActionRun, ConnectorRun, ScriptRun
from devkit.platform.server import Call as PlatformCall
from tests.actions.support import ACCOUNT, COMPLETED, FAILED
from tests.connector.mails import held_mails
from tests.test_ping_and_connector_failures import (
    BEFOREHAND,
    CONNECTOR_BEFOREHAND,
    FAILURES,
    NOT_TRUSTED,
    PAGE,
    PING_FAILED,
    PING_OK,
    REFUSED,
    no_secret_in,
)

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *(name.lower() for name in PROXIES)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[MimecastServer]:
    with MimecastServer(Tenant()) as server:
        yield server


@contextmanager
def laptop(server: MimecastServer, changes: dict[str, str], *, oauth: bool = False) -> Iterator[Laptop]:
    values = embedded_configuration(server.url, server.tenant.credentials, oauth=oauth)
    with Laptop(values | {name.replace("_", " "): value for name, value in changes.items()}) as machine:
        yield machine


def proper(run: ScriptRun, tenant: Tenant) -> None:
    """There is a result, and the process ended well, whatever happened; nothing it wrote holds a secret."""
    assert run.reason == "", run.stderr
    assert run.exit_code == 0
    assert no_secret_in(run.stdout + run.stderr, tenant)


def ping(server: MimecastServer, *, oauth: bool = False, **changes: str) -> ActionRun:
    with laptop(server, changes, oauth=oauth) as machine:
        run = machine.action("ping")
    proper(run, server.tenant)
    assert run.platform_calls["configuration"] == 1
    return run


def connector(server: MimecastServer, **changes: str) -> ConnectorRun:
    configuration = {name: value for name, value in changes.items() if name in ("API_Root", "Access_Key", "Secret_Key")}
    own = {name.replace("_", " "): value for name, value in changes.items() if name not in configuration}
    with laptop(server, configuration) as machine:
        run = machine.connector({"Domains": "corp.example"} | own)
    proper(run, server.tenant)
    return run


@pytest.mark.parametrize(("oauth", "requests_made"), [(False, 1), (True, 2)])
def test_ping_succeeds_with_a_slash_and_blanks_after_the_api_root(
    server: MimecastServer, oauth: bool, requests_made: int
) -> None:
    run = ping(server, oauth=oauth, API_Root=f" {server.url}/ ")
    assert (run.message, run.execution_state, run.result_value) == (PING_OK, COMPLETED, True)
    assert server.tenant.count() == requests_made


@pytest.mark.parametrize(
    "case",
    ["one of four keys is missing", "secret key is not base64", "API Root without scheme", "Verify SSL is no boolean"],
)
def test_ping_refuses_a_wrong_configuration(server: MimecastServer, case: str) -> None:
    wrong = BEFOREHAND[case]
    run = ping(server, oauth=wrong.oauth, **wrong.changes)
    assert run.message == PING_FAILED + wrong.reason
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert server.tenant.count() == 0


@pytest.mark.parametrize(
    "case", ["wrong access key", "wrong client secret", "expired access key", "missing permission, API 2.0"]
)
def test_ping_says_what_mimecast_refuses(server: MimecastServer, case: str) -> None:
    failure = FAILURES[case]
    failure.arrange(server.tenant)
    run = ping(server, oauth=failure.oauth, **failure.changes)
    assert run.message == PING_FAILED + failure.reason.replace("{permission}", READ_ACCOUNT).replace("{path}", ACCOUNT)
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert server.tenant.count() == failure.ping_calls


def test_ping_meets_a_certificate_that_is_not_trusted_unless_it_is_told_not_to_look() -> None:
    with MimecastServer(Tenant(), tls=True) as server:
        run = ping(server)
        assert run.message == PING_FAILED + NOT_TRUSTED.format(host="127.0.0.1")
        assert (run.execution_state, run.result_value) == (FAILED, False)
        assert server.tenant.count() == 0
        assert ping(server, Verify_SSL="false").message == PING_OK


def test_ping_meets_nobody_and_a_web_page(server: MimecastServer) -> None:
    server.tenant.fault(Fault("html", times=None))
    assert ping(server).message == PING_FAILED + PAGE
    server.stop()
    run = ping(server)
    assert run.message == PING_FAILED + REFUSED.format(host="127.0.0.1")
    assert (run.execution_state, run.result_value) == (FAILED, False)


def test_ping_of_an_integration_that_is_not_configured(server: MimecastServer) -> None:
    def no_configuration(call: PlatformCall) -> None:
        if call.endpoint == "configuration":
            raise RuntimeError("the platform has a bad day")

    with laptop(server, {}) as machine:
        machine.platform.server.on_call = no_configuration
        run = machine.action("ping")
    proper(run, server.tenant)
    assert run.message.startswith(f"{PING_FAILED}The platform did not give the integration's configuration")
    assert (run.execution_state, run.result_value) == (FAILED, False)
    assert server.tenant.count() == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Access_Key": ""}, BEFOREHAND["one of four keys is missing"].reason),
        ({"Secret_Key": "not base64!"}, BEFOREHAND["secret key is not base64"].reason),
        ({"Domains": " ,"}, CONNECTOR_BEFOREHAND["Domains is empty"][1]),
        ({"Status_Filter": "hold, spam"}, CONNECTOR_BEFOREHAND["Status Filter has unknown values only"][1]),
    ],
    ids=["credentials", "no base64", "no domain", "unknown status"],
)
def test_connector_refuses_wrong_parameters_with_an_empty_package(
    server: MimecastServer, changes: dict[str, str], reason: str
) -> None:
    run = connector(server, **changes)
    assert run.alerts == []
    assert f"The cycle failed: {reason}" in run.debug_output
    assert server.tenant.count() == 0


def test_connector_goes_on_with_defaults_for_numbers_that_make_no_sense(server: MimecastServer) -> None:
    server.tenant.add(*held_mails(2, server.tenant.clock() - timedelta(minutes=10)))
    run = connector(server, PythonProcessTimeout="180", Max_Hours_Backwards="none", Max_Messages_To_Return="-5")
    assert len(run.alerts) == 2
    assert 'Parameter "Max Hours Backwards": none is not a whole number from 1 to 720; 1 is used.' in run.debug_output
    assert 'Parameter "Max Messages To Return": -5 is not a whole number from 1 up; 100 is used.' in run.debug_output


def test_connector_says_what_mimecast_refuses(server: MimecastServer) -> None:
    run = connector(server, Access_Key="another")
    assert run.alerts == []
    assert FAILURES["wrong access key"].reason in run.debug_output


def test_connector_meets_a_certificate_that_is_not_trusted() -> None:
    with MimecastServer(Tenant(), tls=True) as server:
        run = connector(server)
    assert run.alerts == []
    assert NOT_TRUSTED.format(host="127.0.0.1") in run.debug_output
    assert server.tenant.count() == 0
