"""How requests are signed (API 1.0), and how tokens are fetched, kept and renewed (API 2.0)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
import responses

from devkit.mimecast.faults import Fault
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter
from MimecastAuth import HmacAuth
from MimecastExceptions import (
    AuthenticationError,
    MimecastError,
)
from MimecastRetry import MAX_TRIES
from MimecastTransport import DEFAULT_TOKEN_LIFETIME_S
from tests.managers.fakes import (
    CLIENT_ID,
    CLIENT_SECRET,
    ITEM,
    PASSING,
    READ,
    READ_URL,
    TOKEN_URL,
    FakeTime,
    good,
    hmac_transport,
    oauth_transport,
    refused,
    token_answer,
)


def answers(mimecast: responses.RequestsMock, *scripted: dict[str, Any], url: str = READ_URL) -> None:
    for answer in scripted:
        mimecast.post(url, **answer)


# --- signing ----------------------------------------------------------------------------------------------------------


def test_two_pages_and_a_retry_carry_different_request_ids_and_signatures(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, good({"id": "1"}, pagination={"next": "page-2"}), PASSING["torn"], good({"id": "2"}))
    rows = [row for page in hmac_transport(time).pages(READ, [ITEM]) for row in page.rows]
    assert rows == [{"id": "1"}, {"id": "2"}]
    sent = [call.request.headers for call in mimecast.calls]
    assert len(sent) == 3
    for name in ("x-mc-req-id", "Authorization"):
        assert len({headers[name] for headers in sent}) == 3
    assert sent[1]["x-mc-date"] == sent[0]["x-mc-date"] == "Wed, 11 Mar 2026 12:00:00 UTC"


def test_a_retry_is_signed_with_the_time_at_which_it_is_sent(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, {"status": 429, "json": {}, "headers": {"X-RateLimit-Reset": "61000"}}, good())
    hmac_transport(time).call(READ, [])
    dates = [call.request.headers["x-mc-date"] for call in mimecast.calls]
    assert dates == ["Wed, 11 Mar 2026 12:00:00 UTC", "Wed, 11 Mar 2026 12:01:01 UTC"]


def test_the_embedded_mimecast_that_checks_every_signature_accepts_pages_and_retries(time: FakeTime) -> None:
    tenant = Tenant(clock=time.now)
    session = requests.Session()
    session.mount("https://", WsgiAdapter(tenant, sleep=time.pass_by))
    transport = hmac_transport(time, session=session)
    known = tenant.credentials
    transport.auth = HmacAuth(
        known.application_id, known.application_key, known.access_key, known.secret_key, clock=time.now
    )
    tenant.fault(*(Fault(kind) for kind in ("torn", "reset", "cut")), Fault("429", reset_ms=1000))
    assert next(transport.pages(READ, [{"admin": True}])).rows == ()
    assert [record.status for record in tenant.requests] == [200, 0, 0, 429, 200]
    assert len({record.request_id for record in tenant.requests}) == 5


# --- API 2.0 ----------------------------------------------------------------------------------------------------------


def test_one_token_serves_all_calls(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, token_answer("t-1"), url=TOKEN_URL)
    answers(mimecast, good(), good(), good())
    transport = oauth_transport(time)
    for _ in range(3):
        transport.call(READ, [])
    form = str(mimecast.calls[0].request.body)
    assert sorted(form.split("&")) == [
        f"client_id={CLIENT_ID}",
        f"client_secret={CLIENT_SECRET}",
        "grant_type=client_credentials",
    ]
    assert mimecast.calls[0].request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in mimecast.calls[0].request.headers
    assert [call.request.headers["Authorization"] for call in list(mimecast.calls)[1:]] == ["Bearer t-1"] * 3


@pytest.mark.parametrize(
    "answer",
    [
        refused(401, "token_expired"),
        refused(401, "token_verification_failed"),
        refused(401, "Unauthorized Request"),
        {"status": 401, "body": b""},
        {"status": 401, "body": "<html></html>"},
    ],
    ids=["expired", "not verified", "unauthorized", "empty", "page"],
)
def test_after_a_401_the_token_is_renewed_and_the_call_repeated(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    answers(mimecast, token_answer("t-1"), url=TOKEN_URL)
    answers(mimecast, answer)
    answers(mimecast, token_answer("t-2"), url=TOKEN_URL)
    answers(mimecast, good())
    assert oauth_transport(time).call(READ, []).rows == ({"id": "1"},)
    sent = [call.request.headers.get("Authorization") for call in mimecast.calls]
    assert sent == [None, "Bearer t-1", None, "Bearer t-2"]
    assert time.slept == []


@pytest.mark.parametrize("code", ["token_expired", "Unauthorized Request"])
def test_the_token_is_renewed_once_and_not_again_and_again(
    mimecast: responses.RequestsMock, time: FakeTime, code: str
) -> None:
    for number in (1, 2):
        answers(mimecast, token_answer(f"t-{number}"), url=TOKEN_URL)
        answers(mimecast, refused(401, code))
    with pytest.raises(AuthenticationError):
        oauth_transport(time).call(READ, [])


def test_with_api_1_keys_a_401_is_final(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, refused(401, "token_expired"))
    with pytest.raises(AuthenticationError):
        hmac_transport(time).call(READ, [])


def test_a_token_is_renewed_before_its_end(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    for number in (1, 2):
        answers(mimecast, token_answer(f"t-{number}", expires_in=1800), url=TOKEN_URL)
        answers(mimecast, good())
    transport = oauth_transport(time, 1e6)
    transport.call(READ, [])
    time.pass_by(1741)
    transport.call(READ, [])
    assert mimecast.calls[3].request.headers["Authorization"] == "Bearer t-2"


@pytest.mark.parametrize(
    ("expires_in", "lifetime_s"),
    [
        (1799, 1799.0),
        ("1799", 1799.0),
        (None, DEFAULT_TOKEN_LIFETIME_S),
        ("soon", DEFAULT_TOKEN_LIFETIME_S),
        (0, DEFAULT_TOKEN_LIFETIME_S),
        (-1, DEFAULT_TOKEN_LIFETIME_S),
        ([], DEFAULT_TOKEN_LIFETIME_S),
        (10**400, DEFAULT_TOKEN_LIFETIME_S),
    ],
)
def test_a_tokens_lifetime_that_makes_no_sense_is_the_documented_one(
    mimecast: responses.RequestsMock, time: FakeTime, expires_in: Any, lifetime_s: float
) -> None:
    answers(mimecast, token_answer("t", expires_in=expires_in), url=TOKEN_URL)
    assert hmac_transport(time).fetch_token("id", "secret").lifetime_s == lifetime_s


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "json": {"fail": [{"code": "InvalidClientIdentifier", "message": "Client is invalid"}]}},
        {"status": 400, "json": {"error": "invalid_client", "error_description": "Client is invalid"}},
    ],
    ids=["fail", "error"],
)
def test_a_wrong_client_is_said_to_be_wrong_after_one_request(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    answers(mimecast, answer, url=TOKEN_URL)
    caught: list[BaseException] = []

    def call() -> None:
        try:
            oauth_transport(time).call(READ, [])
        except AuthenticationError as error:
            caught.append(error)

    # A 401 to the token's own request came to a deadlock once: in a thread, that would be a failure and not a hang.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(timeout=10)
    (error,) = caught
    assert isinstance(error, AuthenticationError)
    assert error.message == (
        'Mimecast doesn\'t accept "Client ID" and "Client Secret". Mimecast doesn\'t accept the credentials. Check the '
        "keys, and that the API Root is your account's region. Mimecast says: Client is invalid"
    )
    assert error.status == answer["status"]


@pytest.mark.parametrize("answer", [*PASSING.values(), {"json": {"expires_in": 1}}], ids=[*PASSING, "no token"])
def test_a_token_that_can_not_be_had_costs_four_requests_and_not_four_times_four(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    answers(mimecast, *[answer] * MAX_TRIES, url=TOKEN_URL)
    with pytest.raises(MimecastError):
        oauth_transport(time).call(READ, [])
    assert len(mimecast.calls) == MAX_TRIES


def test_an_outage_of_the_token_endpoint_that_passes_goes_unnoticed(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, PASSING["HTTP 500"], PASSING["reset"], PASSING["torn"], token_answer(), url=TOKEN_URL)
    answers(mimecast, good())
    assert oauth_transport(time).call(READ, []).rows == ({"id": "1"},)
