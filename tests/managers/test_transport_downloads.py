"""Files: the bytes themselves, or a link to a host that must not see any credentials."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import responses

from MimecastEnvelope import Envelope
from MimecastExceptions import (
    ConnectionFailedError,
    DeadlineError,
    MimecastError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TooLargeError,
    ValidationError,
)
from MimecastRetry import MAX_TRIES
from MimecastTransport import MAX_REDIRECTS
from tests.managers.fakes import (
    HOST,
    ITEM,
    READ,
    READ_URL,
    TOKEN_URL,
    FakeTime,
    broken_connection,
    envelope,
    good,
    hmac_transport,
    oauth_transport,
    token_answer,
)

LINK = "https://files.example/bucket/file?signature=abc"
ELSEWHERE = "https://other.example/file"
CONTENT = b"\x00\xffcontent of a file"
MIB = 1024 * 1024
CREDENTIAL_HEADERS = ("Authorization", "x-mc-date", "x-mc-req-id", "x-mc-app-id", "Cookie", "Proxy-Authorization")


def any_content(content: bytes) -> None:
    """Take it as it is."""


def credentials_in(request: requests.PreparedRequest) -> list[str]:
    return [name for name in CREDENTIAL_HEADERS if name in request.headers]


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_is_fetched_with_a_plain_get(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.get(LINK, body=CONTENT)
    assert hmac_transport(time).download(LINK, MIB, any_content) == CONTENT
    request = mimecast.calls[0].request
    assert request.url == LINK
    assert request.body is None
    assert credentials_in(request) == []


def test_the_download_host_sees_no_credentials_of_either_kind(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    cookies = {"Set-Cookie": "session=secret; Domain=example; Path=/"}
    mimecast.post(TOKEN_URL, **token_answer())
    mimecast.post(READ_URL, **good(), headers=cookies)
    mimecast.get(LINK, status=302, headers={"Location": ELSEWHERE} | cookies)
    mimecast.get(ELSEWHERE, body=CONTENT)
    transport = oauth_transport(time)
    transport.call(READ, [])
    transport.download(LINK, MIB, any_content)
    assert [credentials_in(call.request) for call in list(mimecast.calls)[2:]] == [[], []]


def test_not_even_a_link_to_mimecasts_own_host_gets_credentials(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.get(f"https://{HOST}/download/file", body=CONTENT)
    hmac_transport(time).download(f"https://{HOST}/download/file", MIB, any_content)
    assert credentials_in(mimecast.calls[0].request) == []


def test_credentials_of_a_netrc_file_go_nowhere(
    mimecast: responses.RequestsMock, time: FakeTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("".join(f"machine {host} login me password netrc\n" for host in (HOST, "files.example")))
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(LINK) == ("me", "netrc")
    mimecast.get(LINK, body=CONTENT)
    mimecast.post(TOKEN_URL, **token_answer())
    mimecast.post(READ_URL, **good())
    mimecast.post(READ_URL, **good())
    oauth = oauth_transport(time)
    oauth.download(LINK, MIB, any_content)
    oauth.call(READ, [])
    hmac_transport(time).call(READ, [])
    sent = [call.request.headers.get("Authorization", "") for call in mimecast.calls]
    assert [text.partition(" ")[0] for text in sent] == ["", "", "Bearer", "MC"]


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_download_is_followed_without_credentials(
    mimecast: responses.RequestsMock, time: FakeTime, status: int
) -> None:
    mimecast.get(LINK, status=status, headers={"Location": ELSEWHERE})
    mimecast.get(ELSEWHERE, body=CONTENT)
    assert hmac_transport(time).download(LINK, MIB, any_content) == CONTENT
    assert credentials_in(mimecast.calls[1].request) == []


def test_a_relative_redirect_stays_on_its_host(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.get(LINK, status=302, headers={"Location": "../other/file"})
    mimecast.get("https://files.example/other/file", body=CONTENT)
    assert hmac_transport(time).download(LINK, MIB, any_content) == CONTENT


@pytest.mark.parametrize(
    "target",
    [
        "http://files.example/file",
        "ftp://files.example/file",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_to_anything_but_https_is_not_followed(
    mimecast: responses.RequestsMock, time: FakeTime, target: str
) -> None:
    mimecast.get(LINK, status=302, headers={"Location": target})
    with pytest.raises(MimecastError, match="no https address; it was not followed"):
        hmac_transport(time).download(LINK, MIB, any_content)
    assert len(mimecast.calls) == 1


@pytest.mark.parametrize(
    "link", ["http://files.example/file", "file:///etc/passwd", "files.example/file", "", "https:"]
)
def test_a_link_that_is_no_https_address_is_not_followed(
    mimecast: responses.RequestsMock, time: FakeTime, link: str
) -> None:
    with pytest.raises(MimecastError) as caught:
        hmac_transport(time).download(link, MIB, any_content)
    assert caught.value.message == "Mimecast gave a download link that is no https address; it was not followed."
    assert len(mimecast.calls) == 0
    assert time.slept == []


def test_plain_http_is_only_for_a_mimecast_that_speaks_it_itself(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.get("http://127.0.0.1:9/file", body=CONTENT)
    local = hmac_transport(time, api_root="http://127.0.0.1:9")
    assert local.download("http://127.0.0.1:9/file", MIB, any_content) == CONTENT


def test_redirects_without_end_are_given_up(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    for _ in range(MAX_REDIRECTS + 1):
        mimecast.get(LINK, status=302, headers={"Location": LINK})
    with pytest.raises(MimecastError, match="redirects too often"):
        hmac_transport(time).download(LINK, MIB, any_content)


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_link_that_has_ended_is_not_tried_again(
    mimecast: responses.RequestsMock, time: FakeTime, status: int
) -> None:
    mimecast.get(LINK, status=status, body="<Error>expired</Error>")
    with pytest.raises(NotFoundError) as caught:
        hmac_transport(time).download(LINK, MIB, any_content)
    assert caught.value.message == f"The download link doesn't work any more (HTTP {status})."


def test_a_401_of_a_download_host_does_not_cost_the_token(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(TOKEN_URL, **token_answer("t-1"))
    mimecast.post(READ_URL, **good())
    mimecast.get(LINK, status=401)
    mimecast.post(READ_URL, **good())
    transport = oauth_transport(time)
    transport.call(READ, [])
    with pytest.raises(NotFoundError):
        transport.download(LINK, MIB, any_content)
    transport.call(READ, [])
    assert mimecast.calls[3].request.headers["Authorization"] == "Bearer t-1"


def test_a_download_is_tried_again_after_what_may_pass(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.get(LINK, status=503)
    mimecast.get(LINK, body=broken_connection())
    mimecast.get(LINK, body=CONTENT, headers={"Content-Length": str(len(CONTENT) + 1)})
    mimecast.get(LINK, body=CONTENT)
    assert hmac_transport(time).download(LINK, MIB, any_content) == CONTENT


def test_a_download_is_given_up_after_four_tries(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    for _ in range(MAX_TRIES):
        mimecast.get(LINK, body=broken_connection())
    with pytest.raises(ConnectionFailedError, match=r"^The connection to the download host broke"):
        hmac_transport(time).download(LINK, MIB, any_content)


def test_bytes_that_are_not_the_file_are_asked_for_again(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    def check(content: bytes) -> None:
        if content != CONTENT:
            raise ServerError("What came is not the file.")

    mimecast.get(LINK, body=b"<html>sign in</html>")
    mimecast.get(LINK, body=CONTENT)
    assert hmac_transport(time).download(LINK, MIB, check) == CONTENT


def test_the_quota_of_the_download_host_is_respected_too(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.get(LINK, status=429, headers={"Retry-After": "2"})
    mimecast.get(LINK, body=CONTENT)
    hmac_transport(time).download(LINK, MIB, any_content)
    assert time.slept == [2.0]
    mimecast.get(LINK, status=429, headers={"Retry-After": "6000"})
    with pytest.raises(RateLimitedError):
        hmac_transport(time).download(LINK, MIB, any_content)


def test_a_download_ends_with_the_deadline(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    transport = hmac_transport(time, 10)
    time.pass_by(10)
    with pytest.raises(DeadlineError):
        transport.download(LINK, MIB, any_content)


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3 * MIB])
def test_a_file_of_just_the_size_that_is_taken(mimecast: responses.RequestsMock, time: FakeTime, size: int) -> None:
    mimecast.get(LINK, body=b"x" * size)
    assert len(hmac_transport(time).download(LINK, size, any_content)) == size


def test_a_file_that_is_too_large_is_refused_and_not_tried_again(
    mimecast: responses.RequestsMock, time: FakeTime
) -> None:
    mimecast.get(LINK, body=b"x" * (3 * MIB + 1))
    with pytest.raises(TooLargeError) as caught:
        hmac_transport(time).download(LINK, 3 * MIB, any_content)
    assert caught.value.message == "The answer is larger than 3 MB."


def test_the_size_that_counts_is_the_one_after_decompression(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    import gzip

    mimecast.get(LINK, body=gzip.compress(b"x" * 50 * MIB), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TooLargeError):
        hmac_transport(time).download(LINK, MIB, any_content)


# --- a function that answers with a link or with the file itself ------------------------------------------------------


def test_a_function_may_answer_with_rows(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(READ_URL, json=envelope({"url": LINK}))
    answer = hmac_transport(time).call_for_file(READ, [ITEM], 10, any_content)
    assert isinstance(answer, Envelope)
    assert answer.rows == ({"url": LINK},)


@pytest.mark.parametrize("content", [CONTENT, b"", b'{"a": "file that is JSON itself"}', b"[1]", b"{not JSON"])
def test_a_function_may_answer_with_the_file_itself(
    mimecast: responses.RequestsMock, time: FakeTime, content: bytes
) -> None:
    mimecast.post(READ_URL, body=content)
    assert hmac_transport(time).call_for_file(READ, [ITEM], MIB, any_content) == content


def test_a_functions_failure_is_no_file(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(READ_URL, json={"data": [], "fail": [{"errors": [{"code": "x", "message": "No such file"}]}]})
    with pytest.raises(ValidationError, match=r"^No such file$"):
        hmac_transport(time).call_for_file(READ, [ITEM], MIB, any_content)


def test_an_error_page_is_no_file(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    for _ in range(MAX_TRIES):
        mimecast.post(READ_URL, status=502, body="<html></html>")
    with pytest.raises(ServerError, match="HTTP 502"):
        hmac_transport(time).call_for_file(READ, [ITEM], MIB, any_content)


def test_a_file_in_an_answer_has_the_same_limit(mimecast: responses.RequestsMock, time: FakeTime) -> None:
    mimecast.post(READ_URL, body=b"x" * (2 * MIB + 1))
    with pytest.raises(TooLargeError):
        hmac_transport(time).call_for_file(READ, [ITEM], 2 * MIB, any_content)
