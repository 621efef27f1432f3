"""Calls of functions that change something: sent a second time only when the first surely was not carried out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, ProtocolError, SSLError

import MimecastConstants
from MimecastConstants import Endpoint
from MimecastExceptions import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineError,
    MimecastError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    ValidationError,
)
from MimecastRetry import MAX_TRIES
from tests.managers.fakes import (
    ITEM,
    PASSING,
    READ,
    READ_URL,
    TOKEN_URL,
    WRITE,
    WRITE_URL,
    Body,
    FakeTime,
    broken_connection,
    envelope,
    good,
    hmac_transport,
    oauth_transport,
    refused,
    refused_connection,
    sent_body,
    session_of,
    token_answer,
)

NEVER_SENT = {
    "refused": refused_connection(),
    "no connection in time": requests.exceptions.ConnectTimeout(
        MaxRetryError(None, "/", ConnectTimeoutError("timed out"))  # type: ignore[arg-type]
    ),
}
MAYBE_CARRIED_OUT = {
    name: answer for name, answer in PASSING.items() if name not in ("refused", "no connection in time")
} | {
    "closed": {"body": broken_connection(ConnectionAbortedError("Remote end closed connection"))},
    "TLS broke": {"body": requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError("bad record mac")))},  # type: ignore[arg-type]
    "broken behind the proxy": {
        "body": requests.exceptions.ProxyError(MaxRetryError(None, "/", ProtocolError("x", ConnectionResetError())))  # type: ignore[arg-type]
    },
}


def endpoints() -> list[Endpoint]:
    return [value for value in vars(MimecastConstants).values() if isinstance(value, Endpoint)]


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_knows_every_function_that_changes_something() -> None:
    assert {endpoint.path for endpoint in endpoints() if endpoint.is_write} == {
        "/api/gateway/hold-release",
        "/api/gateway/hold-reject",
        "/api/managedsender/permit-or-block-sender",
        "/api/policy/blockedsenders/create-policy",
        "/api/message-finder/release-held-email-to-sandbox",
        "/api/message-finder/report-message",
    }


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda endpoint: endpoint.path)
def test_every_function_says_its_permission_and_every_write_where_to_look(endpoint: Endpoint) -> None:
    assert len(fields(endpoint)) == 5
    assert endpoint.path.startswith("/api/")
    assert " | " in endpoint.permission
    assert bool(endpoint.check_hint) is endpoint.is_write


# --- never sent again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", MAYBE_CARRIED_OUT.values(), ids=MAYBE_CARRIED_OUT)
def test_a_write_that_may_have_been_carried_out_is_never_sent_again(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    mimecast.post(WRITE_URL, **answer)
    with pytest.raises(OutcomeUnknownError) as caught:
        hmac_transport(time).call(WRITE, [ITEM])
    reason, _, rest = caught.value.message.partition(" The request may have been carried out all the same, so ")
    assert reason.endswith(".")
    assert rest == f"it is not sent again. {WRITE.check_hint}"
    assert time.slept == []


def test_the_reason_and_the_request_id_of_an_unknown_outcome_are_kept(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.post(WRITE_URL, status=503, headers={"x-request-id": "an-id"})
    with pytest.raises(OutcomeUnknownError) as caught:
        hmac_transport(time).call(WRITE, [ITEM])
    assert (caught.value.status, caught.value.request_id) == (503, "an-id")
    assert caught.value.message == (
        "Mimecast answered with HTTP 503. The request may have been carried out all the same, so it is not sent again. "
        f"{WRITE.check_hint}"
    )


def test_a_write_whose_answer_drips_beyond_the_deadline_has_an_unknown_outcome(time: FakeTime) -> None:
    content = json.dumps(envelope({"id": "x" * 1000})).encode()
    session = session_of(lambda: io.BufferedReader(Body(content, 1, lambda: time.pass_by(1))))
    with pytest.raises(OutcomeUnknownError, match=r"^The time for this run was used up in the middle of an answer"):
        hmac_transport(time, 30, session=session).call(WRITE, [ITEM])


def test_an_earlier_failure_that_is_being_handled_does_not_make_a_write_look_unsent(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    for _ in range(MAX_TRIES):
        mimecast.post(READ_URL, body=refused_connection())
    mimecast.post(WRITE_URL, body=broken_connection())
    transport = hmac_transport(time)
    try:
        transport.call(READ, [])
    except ConnectionFailedError:
        with pytest.raises(OutcomeUnknownError):
            transport.call(WRITE, [ITEM])
    assert len(mimecast.calls) == MAX_TRIES + 1


# --- sent again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", NEVER_SENT.values(), ids=NEVER_SENT)
def test_a_write_that_never_left_is_sent_again(
    mimecast: responses.RequestsMock, time: FakeTime, error: Exception
) -> None:
    mimecast.post(WRITE_URL, body=error)
    mimecast.post(WRITE_URL, body=error)
    mimecast.post(WRITE_URL, **good({"id": "1", "release": True}))
    assert hmac_transport(time).call(WRITE, [ITEM]).rows == ({"id": "1", "release": True},)
    assert all(sent_body(call) == {"data": [ITEM]} for call in mimecast.calls)


@pytest.mark.parametrize("error", NEVER_SENT.values(), ids=NEVER_SENT)
def test_a_write_that_never_left_in_four_tries_was_surely_not_made(
    mimecast: responses.RequestsMock, time: FakeTime, error: Exception
) -> None:
    for _ in range(MAX_TRIES):
        mimecast.post(WRITE_URL, body=error)
    with pytest.raises(ConnectionFailedError):
        hmac_transport(time).call(WRITE, [ITEM])


def test_a_write_that_broke_at_its_second_try_is_not_sent_a_third_time(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.post(WRITE_URL, body=refused_connection())
    mimecast.post(WRITE_URL, body=broken_connection())
    with pytest.raises(OutcomeUnknownError):
        hmac_transport(time).call(WRITE, [ITEM])


def test_a_write_is_sent_again_after_a_429_which_says_that_it_was_not_carried_out(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    for _ in range(6):
        mimecast.post(WRITE_URL, status=429, json={}, headers={"X-RateLimit-Reset": "1000"})
    mimecast.post(WRITE_URL, **good())
    hmac_transport(time).call(WRITE, [ITEM])
    assert time.slept == [1.0] * 6


def test_a_write_that_the_quota_does_not_allow_in_time_was_surely_not_made(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.post(WRITE_URL, status=429, json={}, headers={"X-RateLimit-Reset": "700000"})
    with pytest.raises(RateLimitedError):
        hmac_transport(time).call(WRITE, [ITEM])


@pytest.mark.parametrize("answer", [refused(401, "token_expired"), {"status": 401, "body": b""}])
def test_a_write_is_sent_again_once_after_an_expired_token(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    mimecast.post(TOKEN_URL, **token_answer("t-1"))
    mimecast.post(WRITE_URL, **answer)
    mimecast.post(TOKEN_URL, **token_answer("t-2"))
    mimecast.post(WRITE_URL, **good())
    oauth_transport(time).call(WRITE, [ITEM])
    assert mimecast.calls[3].request.headers["Authorization"] == "Bearer t-2"


# --- surely not made --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"json": {"data": [], "fail": [{"errors": [{"code": "x", "message": "No"}]}]}}, ValidationError),
        ({"status": 400, "body": b""}, ValidationError),
        ({"status": 401, "json": {}}, AuthenticationError),
        ({"status": 403, "json": {}}, PermissionDeniedError),
    ],
    ids=["fail", "400", "401", "403"],
)
def test_a_write_that_was_refused_is_no_unknown_outcome(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any], kind: type[MimecastError]
) -> None:
    mimecast.post(WRITE_URL, **answer)
    with pytest.raises(kind):
        hmac_transport(time).call(WRITE, [ITEM])


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_a_write_for_which_no_token_could_be_had_was_surely_not_made(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    for _ in range(MAX_TRIES):
        mimecast.post(TOKEN_URL, **answer)
    with pytest.raises(MimecastError) as caught:
        oauth_transport(time).call(WRITE, [ITEM])
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert {call.request.url for call in mimecast.calls} == {TOKEN_URL}


def test_a_write_whose_token_can_not_be_renewed_was_surely_not_made(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.post(TOKEN_URL, **token_answer("t-1"))
    mimecast.post(WRITE_URL, **refused(401, "token_expired"))
    for _ in range(MAX_TRIES):
        mimecast.post(TOKEN_URL, status=500)
    with pytest.raises(MimecastError, match="HTTP 500") as caught:
        oauth_transport(time).call(WRITE, [ITEM])
    assert not isinstance(caught.value, OutcomeUnknownError)


def test_a_write_for_which_there_is_no_time_is_not_sent(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    transport = hmac_transport(time, 10)
    time.pass_by(10)
    with pytest.raises(DeadlineError):
        transport.call(WRITE, [ITEM])
    assert len(mimecast.calls) == 0


@pytest.mark.parametrize("make", [hmac_transport, oauth_transport])
def test_a_write_is_sent_once_when_all_is_well(time: FakeTime, make: Callable[..., Any]) -> None:
    with responses.RequestsMock() as mimecast:
        mimecast.post(WRITE_URL, **good({"id": "1", "release": True}))
        if make is oauth_transport:
            mimecast.post(TOKEN_URL, **token_answer())
        assert make(time).call(WRITE, [ITEM]).rows == ({"id": "1", "release": True},)
        mimecast.assert_call_count(WRITE_URL, 1)
