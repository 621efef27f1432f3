"""Both ways of signing in, by themselves."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from MimecastAuth import TOKEN_RENEWAL_MARGIN_S, HmacAuth, OAuthAuth, Token, header_date, signature, utc_now
from MimecastExceptions import ConfigurationError, ServerError
from tests.managers.fakes import FakeTime

# The same with other tools:
#   printf 'Tue, 24 Nov 2015 12:50:11 UTC:8578fce8-9c48-4a2b-9a7d-0a6c8f3d1e55:/api/account/get-account:app-key-4711' \
#     | openssl dgst -sha1 -mac HMAC -macopt key:'a secret key of the test tenant' -binary | base64
GOLDEN_KEY = b"a secret key of the test tenant"
GOLDEN_KEY_TEXT = "YSBzZWNyZXQga2V5IG9mIHRoZSB0ZXN0IHRlbmFudA=="
GOLDEN_DATE = "Tue, 24 Nov 2015 12:50:11 UTC"
GOLDEN_MOMENT = datetime(2015, 11, 24, 12, 50, 11, tzinfo=UTC)
GOLDEN_ID = "8578fce8-9c48-4a2b-9a7d-0a6c8f3d1e55"
GOLDEN_PATH = "/api/account/get-account"
GOLDEN_APPLICATION_KEY = "app-key-4711"
GOLDEN_SIGNATURE = "cpYMclj5n6WtdG4Gy41WER5MG2c="

SHA1_BLOCK_BYTES = 64


def prepared(url: str = f"https://mimecast.test{GOLDEN_PATH}", **options: Any) -> requests.PreparedRequest:
    return requests.Request("POST", url, json={"data": []}, **options).prepare()


def hmac_auth(**options: Any) -> HmacAuth:
    return HmacAuth("app-id", GOLDEN_APPLICATION_KEY, "access-key", GOLDEN_KEY_TEXT, **options)


def golden_auth() -> HmacAuth:
    return hmac_auth(clock=lambda: GOLDEN_MOMENT, new_request_id=lambda: GOLDEN_ID)


# --- API 1.0 ----------------------------------------------------------------------------------------------------------


def test_the_golden_vector_computed_by_hand_from_rfc_2104() -> None:
    text = f"{GOLDEN_DATE}:{GOLDEN_ID}:{GOLDEN_PATH}:{GOLDEN_APPLICATION_KEY}".encode()
    block = base64.b64decode(GOLDEN_KEY_TEXT).ljust(SHA1_BLOCK_BYTES, b"\0")
    inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in block) + text).digest()  # noqa: S324 - Mimecast's protocol
    outer = hashlib.sha1(bytes(byte ^ 0x5C for byte in block) + inner).digest()  # noqa: S324 - Mimecast's protocol
    assert base64.b64encode(outer).decode() == GOLDEN_SIGNATURE
    assert signature(GOLDEN_KEY, GOLDEN_DATE, GOLDEN_ID, GOLDEN_PATH, GOLDEN_APPLICATION_KEY) == GOLDEN_SIGNATURE


def test_the_four_headers_of_a_signed_request() -> None:
    headers = golden_auth()(prepared()).headers
    assert headers["Authorization"] == f"MC access-key:{GOLDEN_SIGNATURE}"
    assert headers["x-mc-date"] == GOLDEN_DATE
    assert headers["x-mc-req-id"] == GOLDEN_ID
    assert headers["x-mc-app-id"] == "app-id"
    assert headers["Content-Type"] == "application/json"


def test_neither_host_nor_query_are_signed() -> None:
    url = f"https://elsewhere.test:8443{GOLDEN_PATH}"
    headers = golden_auth()(prepared(url, params={"a": "b"})).headers
    assert headers["Authorization"].endswith(GOLDEN_SIGNATURE)


@pytest.mark.parametrize("part", ["date", "id", "path", "application key", "secret key"])
def test_the_signature_covers_each_part(part: str) -> None:
    parts: dict[str, Any] = {
        "secret key": GOLDEN_KEY,
        "date": GOLDEN_DATE,
        "id": GOLDEN_ID,
        "path": GOLDEN_PATH,
        "application key": GOLDEN_APPLICATION_KEY,
    }
    changed = parts | {part: parts[part] + (b"x" if part == "secret key" else "x")}
    assert signature(*changed.values()) != GOLDEN_SIGNATURE


def test_each_request_has_its_own_id_and_signature() -> None:
    auth = hmac_auth(clock=lambda: GOLDEN_MOMENT)
    signed = [auth(prepared()).headers for _ in range(50)]
    assert len({headers["x-mc-req-id"] for headers in signed}) == 50
    assert len({headers["Authorization"] for headers in signed}) == 50


def test_the_date_is_that_of_the_moment_of_signing() -> None:
    moments = iter([GOLDEN_MOMENT, GOLDEN_MOMENT + timedelta(seconds=1)])
    auth = hmac_auth(clock=lambda: next(moments))
    assert [auth(prepared()).headers["x-mc-date"] for _ in range(2)] == [GOLDEN_DATE, "Tue, 24 Nov 2015 12:50:12 UTC"]


@pytest.mark.parametrize(
    "text",
    ["not base64", "YWJj!", "YWJ", "YWJjé", "====", "YWJj YWJj", "YWJj\nYWJj"],
    ids=["blank", "sign", "length", "letter", "padding only", "blank between", "line break"],
)
def test_a_secret_key_that_is_not_base64_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HmacAuth("id", "key", "access", text)
    assert caught.value.message == (
        'The value of "Secret Key" is not base64 text. Copy it again from Mimecast, whole and without blanks.'
    )
    assert caught.value.__suppress_context__


# --- the date ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (GOLDEN_MOMENT, GOLDEN_DATE),
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), "Sun, 01 Mar 2026 00:00:00 UTC"),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), "Thu, 29 Feb 2024 23:59:59 UTC"),
        (datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "Wed, 31 Dec 2025 23:30:00 UTC"),
        (datetime(2026, 5, 6, 20, 0, tzinfo=timezone(timedelta(hours=-5))), "Thu, 07 May 2026 01:00:00 UTC"),
    ],
)
def test_the_date_is_in_utc_whatever_the_zone(moment: datetime, text: str) -> None:
    assert header_date(moment) == text


def test_the_dates_names_are_english_whatever_the_locale() -> None:
    class GermanDatetime(datetime):
        """What strftime gives on a German host."""

        def strftime(self, form: str) -> str:
            for code, word in (
                ("%a", "Di"),
                ("%A", "Dienstag"),
                ("%b", "Mär"),
                ("%B", "März"),
                ("%c", "?"),
                ("%p", ""),
            ):
                form = form.replace(code, word)
            return super().strftime(form)

    moment = GermanDatetime(2026, 3, 10, 9, 8, 7, tzinfo=UTC)
    assert f"{moment:%a %b}" == "Di Mär"
    assert header_date(moment) == "Tue, 10 Mar 2026 09:08:07 UTC"


def test_all_days_and_months_are_named() -> None:
    days = [header_date(datetime(2026, 3, day, tzinfo=UTC))[:3] for day in range(2, 9)]
    months = [header_date(datetime(2026, month, 1, tzinfo=UTC))[8:11] for month in range(1, 13)]
    assert days == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert months == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def test_the_present_is_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


# --- API 2.0 ----------------------------------------------------------------------------------------------------------


class Issuer:
    """Gives tokens numbered from 1."""

    def __init__(self, lifetime_s: float = 1799, before: Callable[[], object] = lambda: None) -> None:
        self.calls = 0
        self._lifetime_s = lifetime_s
        self._before = before

    def __call__(self) -> Token:
        self.calls += 1
        self._before()
        return Token(f"token-{self.calls}", self._lifetime_s)


def test_a_request_carries_the_token_and_none_of_api_1_headers(time: FakeTime) -> None:
    headers = OAuthAuth(Issuer(), time.monotonic)(prepared()).headers
    assert headers["Authorization"] == "Bearer token-1"
    assert not [name for name in headers if name.lower().startswith("x-mc-")]


def test_no_token_is_fetched_before_one_is_needed(time: FakeTime) -> None:
    issuer = Issuer()
    OAuthAuth(issuer, time.monotonic)
    assert issuer.calls == 0


def test_a_token_is_kept_until_a_minute_before_its_end(time: FakeTime) -> None:
    issuer = Issuer(lifetime_s=1800)
    auth = OAuthAuth(issuer, time.monotonic)
    assert auth.token() == "token-1"
    time.pass_by(1800 - TOKEN_RENEWAL_MARGIN_S - 1)
    assert auth.token() == "token-1"
    time.pass_by(1)
    assert auth.token() == "token-2"
    time.pass_by(1800 - TOKEN_RENEWAL_MARGIN_S - 1)
    assert auth.token() == "token-2"


@pytest.mark.parametrize("lifetime_s", [1, 30, 60, 119, 120])
def test_a_short_lived_token_serves_for_half_its_life_rather_than_for_one_request(
    time: FakeTime, lifetime_s: float
) -> None:
    issuer = Issuer(lifetime_s=lifetime_s)
    auth = OAuthAuth(issuer, time.monotonic)
    auth.token()
    time.pass_by(lifetime_s / 2 - 0.01)
    assert auth.token() == "token-1"
    time.pass_by(0.01)
    assert auth.token() == "token-2"


def test_a_tokens_life_is_counted_from_its_arrival(time: FakeTime) -> None:
    slow = Issuer(lifetime_s=200, before=lambda: time.pass_by(50))
    auth = OAuthAuth(slow, time.monotonic)
    auth.token()
    time.pass_by(200 - TOKEN_RENEWAL_MARGIN_S - 1)
    assert auth.token() == "token-1"
    time.pass_by(1)
    assert auth.token() == "token-2"


def test_a_refused_token_is_forgotten(time: FakeTime) -> None:
    auth = OAuthAuth(Issuer(), time.monotonic)
    auth.token()
    auth.discard("Bearer token-1")
    assert auth.token() == "token-2"


@pytest.mark.parametrize("refused", ["Bearer token-0", "token-1", "", None])
def test_a_token_is_not_forgotten_for_the_refusal_of_another_one(time: FakeTime, refused: str | None) -> None:
    auth = OAuthAuth(Issuer(), time.monotonic)
    auth.token()
    auth.discard(refused)
    assert auth.token() == "token-1"


def test_a_failure_to_get_a_token_comes_out_and_the_next_one_who_asks_tries_again(time: FakeTime) -> None:
    answers: Iterator[Any] = iter([ServerError("no token today"), Token("token", 1799)])

    def fetch() -> Token:
        answer = next(answers)
        if isinstance(answer, Token):
            return answer
        raise answer

    auth = OAuthAuth(fetch, time.monotonic)
    with pytest.raises(ServerError, match="no token today"):
        auth.token()
    assert auth.token() == "token"


def all_at_once(count: int, work: Callable[[], str]) -> list[str]:
    """Run a function in so many threads that all begin together."""
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        barrier.wait(timeout=10)
        results.append(work())

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    return results


def test_of_eight_threads_that_need_a_token_one_asks_and_the_others_get_the_same(time: FakeTime) -> None:
    waiting = threading.Event()
    issuer = Issuer(before=lambda: waiting.wait(0.05))  # long enough for the others to come
    auth = OAuthAuth(issuer, time.monotonic)
    assert all_at_once(8, auth.token) == ["token-1"] * 8
    assert issuer.calls == 1


def test_eight_threads_whose_token_was_refused_together_get_one_new_one(time: FakeTime) -> None:
    issuer = Issuer()
    auth = OAuthAuth(issuer, time.monotonic)
    auth.token()

    def refused_then_again() -> str:
        auth.discard("Bearer token-1")
        return auth.token()

    assert all_at_once(8, refused_then_again) == ["token-2"] * 8
    assert issuer.calls == 2


@pytest.mark.parametrize(
    ("date", "hint"),
    [
        ("Wed, 11 Mar 2026 12:00:30 GMT", ""),
        ("Wed, 11 Mar 2026 12:30:00 GMT", " The clock of this host is 30 minutes off Mimecast's: set it."),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_a_refused_signature_tells_of_a_wrong_clock(date: str | None, hint: str) -> None:
    from MimecastAuth import clock_hint

    headers = {} if date is None else {"Date": date}
    assert clock_hint(datetime(2026, 3, 11, 12, 0, tzinfo=UTC), headers) == hint
