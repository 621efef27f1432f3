"""HTTP to Mimecast: time-outs, retries, rate limit, deadline, sizes; from a function call to rows or an exception."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from MimecastAuth import OAuthAuth, Token, clock_hint, utc_now
from MimecastConnectionErrors import connection_error
from MimecastConstants import PAGE_SIZE, TOKEN_PATH, Endpoint
from MimecastEnvelope import HTTP_OK, Envelope, Row, error_for, is_envelope, read_document, read_envelope
from MimecastExceptions import (
    AuthenticationError,
    DeadlineError,
    MimecastError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
    TokenExpiredError,
    TooLargeError,
)
from MimecastRateLimit import Deadline, RequestGate
from MimecastRetry import Tries, maybe_executed

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
SHARE_OF_ONE_TRY = 0.5
"""How much of the time that is left one try may wait for its answer, so that a second one is possible."""
MAX_ANSWER_BYTES = 128 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
MAX_REDIRECTS = 5
DEFAULT_TOKEN_LIFETIME_S = 1800.0  # what Mimecast documents, should an answer not say it (facts 1.2)
CONNECTIONS = 8

_HTTP_UNAUTHORIZED = 401
_HTTP_TOO_MANY = 429
_TOKEN_ENDPOINT = Endpoint(TOKEN_PATH, "an API 2.0 application")

T = TypeVar("T")


class Authenticator(Protocol):
    """What signs a request; ``HmacAuth`` and ``OAuthAuth`` do."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request that is about to be sent."""
        ...


class MimecastTransport:
    """Calls functions of one Mimecast tenant; may be used by several threads.

    Args:
        api_root: Scheme and host of the tenant's API, without a path.
        deadline: When all network work must be done.
        verify_ssl: Whether the server's certificate is checked.
        monotonic: A clock in seconds that never goes back.
        sleep: Waits for a number of seconds.
        now: The present moment, aware.
        session: HTTP session for Mimecast; tests hand in one with their own adapter.
        download_session: HTTP session for download links; it never sees credentials.
    """

    def __init__(
        self,
        api_root: str,
        deadline: Deadline,
        *,
        verify_ssl: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
        session: requests.Session | None = None,
        download_session: requests.Session | None = None,
    ) -> None:
        self._api_root = api_root
        self._host = urlsplit(api_root).hostname or api_root
        self.deadline = deadline
        self._verify_ssl = verify_ssl
        if not verify_ssl:
            # The user has chosen so; a warning for each request would only fill the log.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._sleep = sleep
        self._now = now
        self._gate = RequestGate(monotonic, sleep)
        self._session = session or _new_session()
        self._download_session = download_session or _new_session()
        self.auth: Authenticator = _no_auth
        self._counts: Counter[str] = Counter()
        self._counts_lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
        self._download_session.close()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many requests were sent, by path, with ``retries`` and ``rate_limited`` beside them."""
        with self._counts_lock:
            return dict(self._counts)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent in all."""
        return self.counts.get("requests", 0)

    # --- functions of the API ----------------------------------------------------------------------------------------

    def call(
        self,
        endpoint: Endpoint,
        items: list[Row],
        *,
        page_size: int | None = None,
        page_token: str | None = None,
        deadline: Deadline | None = None,
    ) -> Envelope:
        """Call a function.

        Args:
            endpoint: Which one.
            items: What goes into ``data``.
            page_size: How many rows a page holds, for functions with pages.
            page_token: Token of the page that is wanted; None for the first.
            deadline: When this call must be done, if before the run's own deadline.

        Returns:
            The answer's rows.

        Raises:
            MimecastError: The call failed, for good.
        """
        body: dict[str, Any] = {"data": items}
        given = {"pageSize": page_size, "pageToken": page_token}
        pagination = {name: value for name, value in given.items() if value is not None}
        if pagination:
            body["meta"] = {"pagination": pagination}

        def attempt() -> Envelope:
            return self._envelope(endpoint, *self._send(endpoint, body=body, auth=self.auth, deadline=deadline))

        return self._persist(endpoint, attempt, deadline)

    def call_for_file(
        self,
        endpoint: Endpoint,
        items: list[Row],
        max_bytes: int,
        check: Callable[[bytes], None],
        deadline: Deadline | None = None,
    ) -> Envelope | bytes:
        """Call a function that answers with rows or with the bytes of a file themselves.

        Args:
            endpoint: Which one.
            items: What goes into ``data``.
            max_bytes: Largest file that is taken.
            check: Raises ServerError for bytes that are not the file; then they are asked for again.
            deadline: When this call must be done, if before the run's own deadline.

        Raises:
            TooLargeError: The file is larger than max_bytes.
            MimecastError: The call failed, for good.
        """

        def attempt() -> Envelope | bytes:
            limit = max(max_bytes, CHUNK_BYTES)  # an envelope with links may be longer than a very small file
            status, headers, content = self._send(
                endpoint, body={"data": items}, auth=self.auth, max_bytes=limit, deadline=deadline
            )
            if status == HTTP_OK and not is_envelope(content):
                check(content)
                return content
            return self._envelope(endpoint, status, headers, content)

        return self._persist(endpoint, attempt, deadline)

    def pages(
        self,
        endpoint: Endpoint,
        items: list[Row],
        page_size: int | None = PAGE_SIZE,
        *,
        deadline: Deadline | None = None,
    ) -> Iterator[Envelope]:
        """Call a function page by page, each only when it is asked for.

        Args:
            endpoint: Which one.
            items: What goes into ``data``.
            page_size: How many rows a page holds; None where the items themselves say it.
            deadline: When the pages must be there, if before the run's own deadline.

        Raises:
            ServerError: Mimecast gave the token of a page that has been read already.
            MimecastError: A page could not be had.
        """
        token: str | None = None
        seen: set[str] = set()
        while True:
            envelope = self.call(endpoint, items, page_size=page_size, page_token=token, deadline=deadline)
            yield envelope
            token = envelope.next_token
            if token is None:
                return
            if token in seen:
                raise ServerError("Mimecast repeats a page token, so the list can't be read to its end. Try again.")
            seen.add(token)

    def fetch_token(self, client_id: str, client_secret: str) -> Token:
        """Get an access token of API 2.0 (client credentials).

        Raises:
            AuthenticationError: The client's id or secret is wrong.
            MimecastError: The token could not be had.
        """
        form = {"client_id": client_id, "client_secret": client_secret, "grant_type": "client_credentials"}

        def attempt() -> Token:
            status, headers, content = self._send(_TOKEN_ENDPOINT, form=form, auth=_no_auth)
            if 400 <= status < 404:  # whatever the shape: the pair isn't accepted
                try:
                    read_document(401, headers, content, _TOKEN_ENDPOINT)
                except AuthenticationError as error:
                    raise AuthenticationError(
                        f'Mimecast doesn\'t accept "Client ID" and "Client Secret". {error.message}',
                        status=status,
                        code=error.code,
                        request_id=error.request_id,
                    ) from None
            return _read_token(status, headers, content)

        try:
            return self._persist(_TOKEN_ENDPOINT, attempt)
        except ServerError as error:
            # It was tried often enough, and what the token is for was not sent: a ServerError would say neither.
            raise MimecastError(error.message, status=error.status, request_id=error.request_id) from None

    # --- files -------------------------------------------------------------------------------------------------------

    def download(
        self, url: str, max_bytes: int, check: Callable[[bytes], None], deadline: Deadline | None = None
    ) -> bytes:
        """Fetch a file from a link that Mimecast gave; credentials never go there, nor to where it redirects.

        Args:
            url: The link.
            max_bytes: Largest file that is taken.
            check: Raises ServerError for bytes that are not the file; then they are asked for again.
            deadline: When this call must be done, if before the run's own deadline.

        Raises:
            TooLargeError: The file is larger than max_bytes.
            MimecastError: The file could not be had.
        """
        endpoint = Endpoint("download", "")

        def attempt() -> bytes:
            target = url
            for _ in range(MAX_REDIRECTS + 1):
                self._check_link(target)
                status, headers, content = self._exchange(
                    self._download_session,
                    "GET",
                    target,
                    endpoint,
                    auth=_no_auth,
                    max_bytes=max_bytes,
                    deadline=deadline,
                )
                if status in (301, 302, 303, 307, 308) and "Location" in headers:
                    target = urljoin(target, headers["Location"])
                    continue
                if status == HTTP_OK:
                    check(content)
                    return content
                if status in (400, 401, 403, 404, 410):
                    raise NotFoundError(f"The download link doesn't work any more (HTTP {status}).", status=status)
                raise error_for(status, (), None, headers, "")
            raise MimecastError("The download link redirects too often.")

        return self._persist(endpoint, attempt, deadline)

    def _check_link(self, url: str) -> None:
        parts = urlsplit(url)
        # Plain http is for a Mimecast on this machine (the workbench); a real one has https.
        allowed = ("https", urlsplit(self._api_root).scheme)
        if parts.scheme not in allowed or not parts.hostname:
            raise MimecastError("Mimecast gave a download link that is no https address; it was not followed.")

    # --- one exchange, and its repetition ----------------------------------------------------------------------------

    def _send(
        self,
        endpoint: Endpoint,
        *,
        auth: Authenticator,
        body: object = None,
        form: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        deadline: Deadline | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        url = self._api_root + endpoint.path
        return self._exchange(
            self._session,
            "POST",
            url,
            endpoint,
            auth=auth,
            body=body,
            form=form,
            max_bytes=max_bytes,
            deadline=deadline,
        )

    def _exchange(
        self,
        session: requests.Session,
        method: str,
        url: str,
        endpoint: Endpoint,
        *,
        auth: Authenticator,
        body: object = None,
        form: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline: Deadline | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request and read its answer; nothing is followed, nothing is tried again here."""
        deadline = deadline or self.deadline
        signing = auth
        if isinstance(auth, OAuthAuth):
            signing = _bearer(auth.token())  # before the gate: its own request must not wait inside this one's turn
        self._gate.wait(deadline)
        answered = False
        try:
            remaining = deadline.check()
            self._count("requests", endpoint.path)
            response = session.request(
                method,
                url,
                json=body,
                data=form,
                auth=signing,
                timeout=(min(CONNECT_TIMEOUT_S, remaining), min(READ_TIMEOUT_S, remaining * SHARE_OF_ONE_TRY)),
                verify=self._verify_ssl,
                allow_redirects=False,
                stream=True,
            )
            with response:
                content = _read(response, max_bytes, deadline)
            answered = True
        except (OSError, urllib3.exceptions.HTTPError) as error:  # requests' own exceptions are OSErrors
            raise connection_error(error, self._host if session is self._session else "the download host") from None
        finally:
            if not answered:
                self._gate.unanswered()
        if response.status_code == _HTTP_TOO_MANY:
            self._count("rate_limited")
            self._gate.refused(response.headers)
        else:
            self._gate.answered(response.headers)
        if response.status_code == _HTTP_UNAUTHORIZED and isinstance(auth, OAuthAuth):
            auth.discard(str(response.request.headers.get("Authorization")))
        return response.status_code, response.headers, content

    def _envelope(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> Envelope:
        try:
            return read_envelope(status, headers, content, endpoint)
        except RateLimitedError:
            if status != _HTTP_TOO_MANY:  # said inside of a 200; it wants a pause all the same
                self._gate.refused(headers)
            raise
        except AuthenticationError as error:
            if status != _HTTP_UNAUTHORIZED:
                raise
            if not isinstance(self.auth, OAuthAuth):
                raise AuthenticationError(
                    error.message + clock_hint(self._now(), headers),
                    status=status,
                    code=error.code,
                    request_id=error.request_id,
                ) from None
            # Mimecast has several codes for a token that it no longer accepts, and none at times (facts 1.2).
            raise TokenExpiredError(
                error.message, status=status, code=error.code, request_id=error.request_id
            ) from None

    def _count(self, *names: str) -> None:
        with self._counts_lock:
            self._counts.update(names)

    def _persist(self, endpoint: Endpoint, attempt: Callable[[], T], deadline: Deadline | None = None) -> T:
        """Run an attempt until it succeeds, its failure is final, or no time is left."""
        tries = Tries(endpoint, deadline or self.deadline, renewable=isinstance(self.auth, OAuthAuth))
        try:
            return tries.run(attempt, self._sleep, lambda: self._count("retries"))
        except MimecastError as error:
            if endpoint.is_write and maybe_executed(error):
                raise OutcomeUnknownError(
                    f"{error.message.removesuffix('.')}. The request may have been carried out all the same, so it is "
                    f"not sent again. {endpoint.check_hint}",
                    status=error.status,
                    request_id=error.request_id,
                ) from None
            if isinstance(error, (DeadlineError, RateLimitedError)) and tries.last_failure is not None:
                raise tries.last_failure from None  # say what was wrong, not that time is short
            raise


def _read(response: requests.Response, max_bytes: int, deadline: Deadline) -> bytes:
    """Read a body as it comes: waiting for whole chunks would let an answer that drips outlast the run."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        size += len(chunk)
        if size > max_bytes:
            raise TooLargeError(f"The answer is larger than {max_bytes / 1024 / 1024:.0f} MB.")
        chunks.append(chunk)
        # An answer that is complete counts, however late it is; above all that of a write.
        if deadline.remaining() <= 0 and response.raw.length_remaining != 0:
            raise DeadlineError("The time for this run was used up in the middle of an answer.", was_sent=True)
    return b"".join(chunks)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send a request without credentials; it also keeps ``requests`` from taking some out of a netrc file."""
    return request


def _bearer(token: str) -> Authenticator:
    """Sign a request with a token that is there already."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _new_session() -> requests.Session:
    session = requests.Session()  # trust_env stays on: the platform hands over its proxy through the environment
    adapter = requests.adapters.HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _read_token(status: int, headers: Mapping[str, str], content: bytes) -> Token:
    document = read_document(status, headers, content, _TOKEN_ENDPOINT)
    value = document.get("access_token")
    if not isinstance(value, str) or not value:
        raise ServerError("Mimecast's answer to the sign-in holds no access token.")
    try:
        seconds = float(document["expires_in"])
    except (KeyError, TypeError, ValueError, OverflowError):
        seconds = DEFAULT_TOKEN_LIFETIME_S
    return Token(value, seconds if seconds > 0 else DEFAULT_TOKEN_LIFETIME_S)
