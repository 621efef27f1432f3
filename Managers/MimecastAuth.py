"""The two ways of signing in: API 1.0 (HMAC over each request) and API 2.0 (OAuth 2.0 client credentials).

Both are ``requests`` authentication objects, so that whatever sends a request signs exactly that request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from requests.auth import AuthBase

from MimecastExceptions import ConfigurationError

TOKEN_RENEWAL_MARGIN_S = 60.0
"""A token is renewed this long before Mimecast lets it end, so that none ends on its way."""

CLOCK_TOLERANCE = timedelta(minutes=2)
"""Mimecast names no limit for how far the signed date may be off; less than this is surely not the reason."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def header_date(moment: datetime) -> str:
    """Format a moment as API 1.0's ``x-mc-date`` wants it: ``Tue, 24 Nov 2015 12:50:11 UTC``.

    Not ``strftime``: the names must be English whatever the host's locale is (Mimecast, "Authorization").
    """
    utc = moment.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02d} {_MONTHS[utc.month - 1]} {utc.year} {utc:%H:%M:%S} UTC"


def signature(secret_key: bytes, date: str, request_id: str, path: str, application_key: str) -> str:
    """Sign one request of API 1.0.

    Args:
        secret_key: The Secret Key, base64-decoded.
        date: Exactly the text of the ``x-mc-date`` header.
        request_id: Exactly the text of the ``x-mc-req-id`` header.
        path: The request's path, without host and query.
        application_key: The Application Key.

    Returns:
        The base64 text that follows the access key in the ``Authorization`` header.
    """
    text = f"{date}:{request_id}:{path}:{application_key}"
    digest = hmac.new(secret_key, text.encode(), hashlib.sha1).digest()  # SHA-1 is Mimecast's protocol
    return base64.b64encode(digest).decode()


def clock_hint(now: datetime, headers: Mapping[str, str]) -> str:
    """Say, after a refused signature, that the host's clock is wrong, if it is: the date is part of what is signed.

    Args:
        now: The present moment here.
        headers: Headers of Mimecast's answer; its ``Date`` is the present moment there.

    Returns:
        A sentence with a blank before it, or nothing.
    """
    try:
        theirs = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return ""
    apart = abs(now - theirs) if theirs.tzinfo else timedelta()
    if apart < CLOCK_TOLERANCE:
        return ""
    return f" The clock of this host is {apart // timedelta(minutes=1)} minutes off Mimecast's: set it."


class HmacAuth(AuthBase):
    """API 1.0: every send gets its own id, date and signature, pages and retries too.

    Args:
        application_id: Application ID.
        application_key: Application Key.
        access_key: Access Key.
        secret_key: Secret Key, base64 text.
        clock: Gives the present moment; replaced by tests.
        new_request_id: Gives a fresh id; Mimecast takes each id once.

    Raises:
        ConfigurationError: The Secret Key is not base64.
    """

    def __init__(
        self,
        application_id: str,
        application_key: str,
        access_key: str,
        secret_key: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_request_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._application_id = application_id
        self._application_key = application_key
        self._access_key = access_key
        try:
            self._secret_key = base64.b64decode(secret_key, validate=True)
        except (binascii.Error, ValueError):
            raise ConfigurationError(
                'The value of "Secret Key" is not base64 text. Copy it again from Mimecast, whole and without blanks.'
            ) from None
        self._clock = clock
        self._new_request_id = new_request_id

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the four headers of API 1.0 on a request that is about to be sent."""
        date = header_date(self._clock())
        request_id = self._new_request_id()
        path = request.path_url.split("?", 1)[0]
        signed = signature(self._secret_key, date, request_id, path, self._application_key)
        request.headers.update(
            {
                "x-mc-date": date,
                "x-mc-req-id": request_id,
                "x-mc-app-id": self._application_id,
                "Authorization": f"MC {self._access_key}:{signed}",
            }
        )
        return request


@dataclass(frozen=True)
class Token:
    """An access token of API 2.0 and how many seconds it lives."""

    value: str
    lifetime_s: float


class OAuthAuth(AuthBase):
    """API 2.0: one token for all requests of a run, fetched when first needed and renewed before it ends.

    Args:
        fetch_token: Asks Mimecast for a new token.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, fetch_token: Callable[[], Token], monotonic: Callable[[], float]) -> None:
        self._fetch_token = fetch_token
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the bearer token on a request that is about to be sent."""
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        """Return a token that is valid now; of many threads, one asks and the others wait for it."""
        with self._lock:
            if self._token is None or self._monotonic() >= self._renew_at:
                token = self._fetch_token()
                # A lifetime shorter than twice the margin must not lead to a new token for each request.
                margin = min(TOKEN_RENEWAL_MARGIN_S, token.lifetime_s / 2)
                self._renew_at = self._monotonic() + token.lifetime_s - margin
                self._token = token
            return self._token.value

    def discard(self, authorization: str | None) -> None:
        """Forget the token that Mimecast has just refused, unless another thread has renewed it meanwhile.

        Args:
            authorization: The ``Authorization`` header of the refused request.
        """
        with self._lock:
            if self._token is not None and authorization == f"Bearer {self._token.value}":
                self._token = None
