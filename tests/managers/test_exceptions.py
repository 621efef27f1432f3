"""The tree of exceptions: every class as it really comes about, with its text, and without any secret."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from MimecastAuth import HmacAuth
from MimecastExceptions import (
    AccessKeyExpiredError,
    ActionNotAppliedError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineError,
    MimecastError,
    NotFoundError,
    OutcomeUnknownError,
    PauseTooLongError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TokenExpiredError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
)
from MimecastManager import Clock, MimecastManager
from MimecastParameters import read_configuration
from tests.managers.fakes import (
    ACCESS_KEY,
    ANSWER_TEXT,
    APPLICATION_ID,
    APPLICATION_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    ITEM,
    PROXY_PASSWORD,
    READ,
    READ_URL,
    ROOT,
    SECRET_KEY,
    SECRETS,
    TOKEN_URL,
    WRITE,
    WRITE_URL,
    Body,
    FakeTime,
    broken_connection,
    hmac_transport,
    oauth_transport,
    refused,
    session_of,
    token_answer,
)

PAGE = f"<html>{ANSWER_TEXT}</html>"


def read_after(mimecast: responses.RequestsMock, time: FakeTime, **answer: Any) -> None:
    mimecast.post(READ_URL, **answer)
    hmac_transport(time).call(READ, [ITEM])


def token_expired(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(TOKEN_URL, **token_answer())
    mimecast.post(READ_URL, **refused(401, "token_expired"))
    oauth_transport(time).call(READ, [ITEM])


def no_token(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(TOKEN_URL, body=PAGE)
    oauth_transport(time).call(READ, [ITEM])


def wrong_client(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(TOKEN_URL, status=400, json={"error": "invalid_client"})
    oauth_transport(time).call(READ, [ITEM])


def proxy(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    said = f"Cannot connect to proxy http://user:{PROXY_PASSWORD}@proxy.test"
    mimecast.post(READ_URL, body=requests.exceptions.ProxyError(said))
    hmac_transport(time).call(READ, [ITEM])


def too_large(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.get(f"{ROOT}/file", body=ANSWER_TEXT * 10)
    hmac_transport(time).download(f"{ROOT}/file", 10, lambda content: None)


def quota_at_the_deadline(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        time.pass_by(600)
        return 429, {}, ""

    mimecast.add_callback("POST", READ_URL, answer)
    hmac_transport(time).call(READ, [ITEM])


def late(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    transport = hmac_transport(time, 1)
    time.pass_by(1)
    transport.call(READ, [ITEM])


def cut_short(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    session = session_of(lambda: io.BufferedReader(Body(PAGE.encode() * 100, 1, lambda: time.pass_by(1))))
    hmac_transport(time, 5, session=session).call(READ, [ITEM])


def written(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(WRITE_URL, body=broken_connection(ConnectionResetError(f"{ANSWER_TEXT} {CLIENT_SECRET}")))
    hmac_transport(time).call(WRITE, [ITEM])


def no_account(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(TOKEN_URL, **token_answer())
    mimecast.post(f"{ROOT}/api/account/get-account", json={"meta": {"status": 200}, "data": [], "more": ANSWER_TEXT})
    configuration = read_configuration({"API Root": ROOT, "Client ID": CLIENT_ID, "Client Secret": CLIENT_SECRET})
    clock = Clock(time.now, time.monotonic, time.sleep)
    MimecastManager(configuration, 60, clock=clock).check_connection()


def incomplete(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    values = {"Application ID": APPLICATION_ID, "Application Key": APPLICATION_KEY, "Access Key": ACCESS_KEY}
    read_configuration({"API Root": ROOT, "Client Secret": CLIENT_SECRET, "Verify SSL": "perhaps"} | values)


def no_base64(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    HmacAuth(APPLICATION_ID, APPLICATION_KEY, ACCESS_KEY, f"{SECRET_KEY}!")


def status(number: int) -> Callable[[responses.RequestsMock, FakeTime], None]:
    return lambda mimecast, time: read_after(mimecast, time, status=number, body=PAGE)


CAUSES: list[tuple[type[MimecastError], Callable[[responses.RequestsMock, FakeTime], None]]] = [
    (MimecastError, no_token),
    (ConfigurationError, incomplete),
    (ConfigurationError, no_base64),
    (ValidationError, status(400)),
    (AuthenticationError, status(401)),
    (AuthenticationError, wrong_client),
    (AccessKeyExpiredError, status(418)),
    (TokenExpiredError, token_expired),
    (PermissionDeniedError, status(403)),
    (NotFoundError, status(404)),
    (ServerError, status(200)),
    (ServerError, status(302)),
    (ServerError, status(500)),
    (ConnectionFailedError, proxy),
    (TooLargeError, too_large),
    (RateLimitedError, quota_at_the_deadline),
    (
        PauseTooLongError,
        lambda mimecast, time: read_after(mimecast, time, status=429, headers={"X-RateLimit-Reset": "1e9"}),
    ),
    (DeadlineError, late),
    (DeadlineError, cut_short),
    (OutcomeUnknownError, written),
    (ActionNotAppliedError, no_account),
]
ELSEWHERE = {UnsupportedError}  # raised by the actions, whose tests cover it


def tree(kind: type[MimecastError]) -> set[type[MimecastError]]:
    return {kind}.union(*(tree(child) for child in kind.__subclasses__()))


def test_every_public_class_comes_about_here() -> None:
    public = {kind for kind in tree(MimecastError) if not kind.__name__.startswith("_")}
    assert public - ELSEWHERE == {kind for kind, _ in CAUSES}


@pytest.mark.parametrize(("kind", "cause"), CAUSES)
def test_no_exception_says_a_secret_or_a_body_not_even_with_its_traceback(
    time: FakeTime, kind: type[MimecastError], cause: Callable[[responses.RequestsMock, FakeTime], None]
) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mimecast, pytest.raises(kind) as caught:
        cause(mimecast, time)
    error = caught.value
    assert type(error) is kind or type(error).__name__.startswith("_")
    said = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert [secret for secret in SECRETS if secret in said] == []
    assert error.message
    assert str(error) == error.message


def test_an_exception_carries_what_support_asks_for() -> None:
    error = ServerError("a text", status=503, code="a-code", field="a-field", request_id="an-id", retryable=True)
    assert (error.status, error.code, error.field, error.request_id, error.retryable) == (
        503,
        "a-code",
        "a-field",
        "an-id",
        True,
    )
    bare = ServerError("a text")
    assert (bare.status, bare.code, bare.field, bare.request_id, bare.retryable) == (None, None, None, None, False)
