"""Calls of functions that only read: tries, pauses, deadline, pages, sizes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests
import responses

from devkit.mimecast.faults import Fault
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter
from MimecastExceptions import (
    AccessKeyExpiredError,
    AuthenticationError,
    ConnectionFailedError,
    DeadlineError,
    MimecastError,
    NotFoundError,
    PauseTooLongError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TooLargeError,
    ValidationError,
)
from MimecastRateLimit import Deadline
from MimecastRetry import BACKOFF_FIRST_S, BACKOFF_JITTER, MAX_TRIES
from MimecastTransport import CONNECT_TIMEOUT_S, MAX_ANSWER_BYTES, READ_TIMEOUT_S, MimecastTransport
from tests.managers.fakes import (
    ITEM,
    PASSING,
    READ,
    READ_URL,
    ROOT,
    Body,
    FakeTime,
    envelope,
    good,
    hmac_transport,
    sent_body,
    session_of,
)

FINAL = {
    "HTTP 400": ({"status": 400, "body": b""}, ValidationError),
    "HTTP 401": ({"status": 401, "json": {}}, AuthenticationError),
    "HTTP 403": ({"status": 403, "json": {}}, PermissionDeniedError),
    "HTTP 404": ({"status": 404, "json": {}}, NotFoundError),
    "HTTP 405": ({"status": 405, "json": {}}, ValidationError),
    "HTTP 409": ({"status": 409, "json": {}}, ValidationError),
    "HTTP 418": ({"status": 418, "json": {}}, AccessKeyExpiredError),
    "fail": ({"json": {"data": [], "fail": [{"errors": [{"code": "x", "message": "No", "retryable": True}]}]}}, None),
    "fail of unknown shape": ({"json": {"data": [{"id": "1"}], "fail": ["?"]}}, None),
}
"""Answers after which nothing is tried again."""


def answers(mimecast: responses.RequestsMock, *scripted: dict[str, Any], url: str = READ_URL) -> None:
    for answer in scripted:
        mimecast.post(url, **answer)


def backoffs(time: FakeTime) -> list[float]:
    """The pauses as if there were no jitter, each checked to be within it."""
    nominal = [BACKOFF_FIRST_S * 2**number for number in range(len(time.slept))]
    for slept, expected in zip(time.slept, nominal, strict=True):
        assert expected * (1 - BACKOFF_JITTER) <= slept <= expected * (1 + BACKOFF_JITTER)
    return nominal


# --- one call ---------------------------------------------------------------------------------------------------------


def test_a_call_posts_its_items_and_gives_the_rows(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, good({"id": "1"}, {"id": "2"}))
    transport = hmac_transport(time)
    assert transport.call(READ, [ITEM]).rows == ({"id": "1"}, {"id": "2"})
    request = mimecast.calls[0].request
    assert (request.method, request.url) == ("POST", READ_URL)
    assert sent_body(mimecast.calls[0]) == {"data": [ITEM]}
    assert request.headers["Content-Type"] == "application/json"
    assert dict(transport.counts) == {"requests": 1, READ.path: 1}
    assert transport.requests_sent == 1


def test_an_answer_with_failures_is_an_exception(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, {"json": {"data": [{"id": "1"}], "fail": [{"errors": [{"code": "x", "message": "It failed"}]}]}})
    with pytest.raises(ValidationError, match=r"^It failed$"):
        hmac_transport(time).call(READ, [ITEM])


@pytest.mark.parametrize(
    ("seconds", "connect_s", "read_s"),
    [(600, CONNECT_TIMEOUT_S, READ_TIMEOUT_S), (30, CONNECT_TIMEOUT_S, 15), (4, 4, 2), (0.25, 0.25, 0.125)],
)
def test_every_request_has_time_outs_that_leave_time_for_a_second_try(
    mimecast: responses.RequestsMock, time: FakeTime, seconds: float, connect_s: float, read_s: float
) -> None:
    answers(mimecast, good())
    hmac_transport(time, seconds).call(READ, [])
    assert mimecast.calls[0].request.req_kwargs["timeout"] == (connect_s, read_s)  # type: ignore[attr-defined]


def test_after_the_deadline_nothing_is_sent(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    transport = hmac_transport(time, 10)
    time.pass_by(10)
    with pytest.raises(DeadlineError):
        transport.call(READ, [])
    assert transport.requests_sent == 0


def test_a_deadline_that_comes_just_before_the_request_is_no_crash(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    moments = iter([0.0, 9.9, 10.0])  # the deadline is made; the gate looks; the request is to be sent
    transport = hmac_transport(time)
    transport.deadline = Deadline(lambda: next(moments, 10.0), 10)
    with pytest.raises(DeadlineError):
        transport.call(READ, [])


def test_a_redirect_is_not_followed(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    for _ in range(MAX_TRIES):
        mimecast.post(READ_URL, status=307, headers={"Location": "https://elsewhere.test/login"})
    with pytest.raises(ServerError, match="redirects elsewhere"):
        hmac_transport(time).call(READ, [])
    assert {call.request.url for call in mimecast.calls} == {READ_URL}


# --- tries ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_a_read_is_tried_again_after_what_may_pass(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    answers(mimecast, answer, answer, good({"id": "1"}))
    transport = hmac_transport(time)
    assert transport.call(READ, [ITEM]).rows == ({"id": "1"},)
    assert transport.counts["retries"] == 2


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
def test_a_read_is_given_up_after_four_tries(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any]
) -> None:
    answers(mimecast, *[answer] * MAX_TRIES)
    with pytest.raises(ServerError):
        hmac_transport(time).call(READ, [ITEM])
    assert len(mimecast.calls) == MAX_TRIES == 4


@pytest.mark.parametrize(("answer", "kind"), FINAL.values(), ids=FINAL)
def test_what_will_not_pass_is_not_tried_again(
    mimecast: responses.RequestsMock, time: FakeTime, answer: dict[str, Any], kind: type[MimecastError] | None
) -> None:
    answers(mimecast, answer)
    with pytest.raises(kind or ValidationError):
        hmac_transport(time).call(READ, [ITEM])
    assert time.slept == []


def test_the_pauses_between_tries_grow(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, *[PASSING["HTTP 500"]] * MAX_TRIES)
    with pytest.raises(ServerError):
        hmac_transport(time).call(READ, [])
    assert backoffs(time) == [0.5, 1.0, 2.0]
    assert time.slept == sorted(time.slept)


def test_no_pause_is_begun_that_ends_after_the_deadline(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, PASSING["HTTP 500"], PASSING["HTTP 500"])
    with pytest.raises(ServerError, match="HTTP 500"):
        hmac_transport(time, 1.3).call(READ, [])
    assert backoffs(time) == [0.5]


def test_when_time_runs_out_between_tries_the_reason_is_what_was_wrong(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, PASSING["HTTP 503"])
    transport = hmac_transport(time, 10)
    transport._sleep = lambda seconds: time.pass_by(100)  # a host that was asleep
    with pytest.raises(ServerError, match="HTTP 503"):
        transport.call(READ, [])


def test_each_call_has_its_own_tries(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    bad = [PASSING["torn"]] * (MAX_TRIES - 1)
    answers(mimecast, *bad, good(), *bad, good())
    transport = hmac_transport(time)
    transport.call(READ, [])
    transport.call(READ, [])
    assert transport.counts["retries"] == 6


def test_a_call_may_have_a_nearer_deadline_than_the_run(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, PASSING["HTTP 500"], PASSING["HTTP 500"], good())
    transport = hmac_transport(time)
    with pytest.raises(ServerError, match="HTTP 500"):
        transport.call(READ, [], deadline=transport.deadline.part(1.3 / 600))
    assert transport.call(READ, []).rows == ({"id": "1"},)


# --- quota ------------------------------------------------------------------------------------------------------------


def test_after_a_429_the_call_waits_and_goes_on(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, {"status": 429, "json": {}, "headers": {"X-RateLimit-Reset": "7500"}}, good())
    transport = hmac_transport(time)
    transport.call(READ, [])
    assert time.slept == [7.5]
    assert transport.counts["rate_limited"] == 1


def test_pauses_for_the_quota_do_not_use_up_the_tries(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    full = {"status": 429, "body": b"", "headers": {"X-RateLimit-Reset": "1000"}}
    answers(mimecast, *[full] * 10, *[PASSING["HTTP 500"]] * (MAX_TRIES - 1), *[full] * 10, good())
    assert hmac_transport(time).call(READ, []).rows == ({"id": "1"},)


def test_a_429_makes_every_other_call_wait_too(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    answers(mimecast, {"status": 429, "json": {}, "headers": {"X-RateLimit-Reset": "700000"}})
    transport = hmac_transport(time)
    for _ in range(3):
        with pytest.raises(RateLimitedError):
            transport.call(READ, [])
    assert len(mimecast.calls) == 1


def test_a_429_that_asks_for_more_than_the_time_left_ends_the_call_at_once(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, {"status": 429, "json": {}, "headers": {"X-RateLimit-Reset": "601000"}})
    with pytest.raises(PauseTooLongError, match="asks to wait 601 s"):
        hmac_transport(time, 600).call(READ, [])
    assert time.slept == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "json": {}, "headers": {"X-RateLimit-Reset": "0"}},
        {"status": 429, "json": {}},
        {"json": {"meta": {"status": 429}, "data": []}},
        {"json": {"meta": {"status": 429}, "data": []}, "headers": {"X-RateLimit-Reset": "0"}},
    ],
    ids=["0 ms", "nothing said", "inside of a 200", "inside of a 200, 0 ms"],
)
def test_a_quota_that_never_comes_back_is_asked_for_some_times_and_not_without_end(
    time: FakeTime, answer: dict[str, Any]
) -> None:
    with responses.RequestsMock() as mimecast:
        answers(mimecast, answer)
        with pytest.raises((DeadlineError, RateLimitedError)):
            hmac_transport(time, 100).call(READ, [])
        assert 2 <= len(mimecast.calls) <= 21
    assert time.monotonic() <= 100


def test_a_used_up_quota_is_respected_before_a_429_comes(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    last = good() | {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3000"}}
    answers(mimecast, last, good())
    transport = hmac_transport(time)
    transport.call(READ, [])
    assert time.slept == []
    transport.call(READ, [])
    assert time.slept == [3.0]


# --- pages ------------------------------------------------------------------------------------------------------------


def test_pages_are_asked_for_one_by_one_each_with_the_token_of_the_one_before(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, good(pagination={"next": "b"}), good(pagination={"next": "c"}), good(pagination={"next": ""}))
    pages = hmac_transport(time).pages(READ, [ITEM], page_size=50)
    assert len(mimecast.calls) == 0
    next(pages)
    assert len(mimecast.calls) == 1
    assert len(list(pages)) == 2
    sent = [sent_body(call)["meta"]["pagination"] for call in mimecast.calls]
    assert sent == [{"pageSize": 50}, {"pageSize": 50, "pageToken": "b"}, {"pageSize": 50, "pageToken": "c"}]
    assert all(sent_body(call)["data"] == [ITEM] for call in mimecast.calls)


@pytest.mark.parametrize("tokens", [("a", "a"), ("a", "b", "a"), ("a", "b", "b")])
def test_a_repeated_page_token_ends_in_an_error_rather_than_never(
    mimecast: responses.RequestsMock, time: FakeTime, tokens: tuple[str, ...]
) -> None:
    answers(mimecast, *(good(pagination={"next": token}) for token in tokens))
    with pytest.raises(ServerError, match="repeats a page token"):
        list(hmac_transport(time).pages(READ, []))
    assert len(mimecast.calls) == len(tokens)


def test_a_page_that_can_not_be_had_is_an_error_after_the_pages_before_it(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    answers(mimecast, good(pagination={"next": "b"}), *[PASSING["empty"]] * MAX_TRIES)
    pages = hmac_transport(time).pages(READ, [])
    next(pages)
    with pytest.raises(ServerError, match="an empty answer"):
        next(pages)


# --- large and slow answers -------------------------------------------------------------------------------------------


def test_an_answer_that_drips_does_not_outlast_the_deadline(time: FakeTime) -> None:
    content = json.dumps(envelope({"id": "x" * 100_000})).encode()
    session = session_of(lambda: io.BufferedReader(Body(content, 1, lambda: time.pass_by(1))))
    with pytest.raises(DeadlineError):
        hmac_transport(time, 30, session=session).call(READ, [])
    assert time.monotonic() == 30


def test_an_answer_that_drips_but_ends_in_time_is_an_answer(time: FakeTime) -> None:
    content = json.dumps(envelope({"id": "1"})).encode()
    session = session_of(lambda: io.BufferedReader(Body(content, 1, lambda: time.pass_by(0.1))))
    assert hmac_transport(time, 30, session=session).call(READ, []).rows == ({"id": "1"},)


def test_an_answer_that_is_complete_counts_however_late_it_is(time: FakeTime) -> None:
    content = json.dumps(envelope({"id": "1"})).encode()
    length = {"Content-Length": str(len(content))}
    session = session_of(lambda: io.BufferedReader(Body(content, 1000, lambda: time.pass_by(100))), length)
    assert hmac_transport(time, 30, session=session).call(READ, []).rows == ({"id": "1"},)


def test_an_answer_that_is_too_large_is_not_read_to_its_end(time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = MimecastTransport._send.__kwdefaults__ or {}
    assert defaults["max_bytes"] == MAX_ANSWER_BYTES
    monkeypatch.setitem(defaults, "max_bytes", 1_000_000)
    pieces: list[int] = []
    session = session_of(lambda: io.BufferedReader(Body(b" " * 50_000_000, 100_000, lambda: pieces.append(1))))
    transport = hmac_transport(time, session=session)
    with pytest.raises(TooLargeError):
        transport.call(READ, [])
    assert len(pieces) < 20
    assert len(time.slept) == 0


def test_a_host_that_never_answers_costs_no_more_than_the_deadline(time: FakeTime) -> None:
    tenant = Tenant(clock=time.now)
    tenant.fault(Fault("slow", times=None, seconds=10_000))
    session = requests.Session()
    session.mount(ROOT, WsgiAdapter(tenant, sleep=time.pass_by))
    with pytest.raises(ConnectionFailedError, match="didn't answer in time"):
        hmac_transport(time, 100, session=session).call(READ, [])
    assert time.monotonic() <= 100.01
