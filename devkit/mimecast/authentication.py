"""Checks the credentials of a request as strictly as Mimecast documents them (facts 1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from datetime import UTC, datetime
from typing import Literal

from werkzeug.datastructures import Headers

from devkit.mimecast.envelope import GatewayError
from devkit.mimecast.ledger import AuthKind
from devkit.mimecast.tenant import CLOCK_SKEW_S, Tenant

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# "Tue, 24 Nov 2015 12:50:11 UTC": English names whatever the locale, hence no strptime.
_DATE = re.compile(r"(\w{3}), (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) UTC")
_REQUIRED_HEADERS = ("Authorization", "x-mc-date", "x-mc-req-id", "x-mc-app-id")


def auth_kind(headers: Headers) -> AuthKind:
    """What kind of credentials a request carries, right or wrong."""
    scheme = headers.get("Authorization", "").partition(" ")[0]
    if scheme == "Bearer":
        return "oauth"
    return "hmac" if scheme == "MC" or any(name in headers for name in _REQUIRED_HEADERS[1:]) else "none"


def authenticate(tenant: Tenant, path: str, headers: Headers, *, replayed: bool) -> Literal["hmac", "oauth"]:
    """Checks a request's credentials.

    Args:
        tenant: Whose.
        path: Path of the request, as it is signed.
        headers: Its headers.
        replayed: Whether its request id was used before.

    Returns:
        Which API the request came by.

    Raises:
        GatewayError: If the credentials are not good.
    """
    if headers.get("Authorization", "").startswith("Bearer "):
        _check_token(tenant, headers["Authorization"].removeprefix("Bearer "))
        return "oauth"
    _check_signature(tenant, path, headers, replayed=replayed)
    return "hmac"


def _check_token(tenant: Tenant, token: str) -> None:
    state = tenant.token_state(token)
    if state == "expired":
        raise GatewayError(401, "token_expired", "Token has expired")
    if state == "unknown":
        raise GatewayError(401, "token_verification_failed", "Token verification failed")


def _check_signature(tenant: Tenant, path: str, headers: Headers, *, replayed: bool) -> None:
    missing = [name for name in _REQUIRED_HEADERS if not headers.get(name)]
    if missing:
        raise GatewayError(400, "0001", f"0001 Credentials are missing from the request: {missing[0]}", nested=True)
    scheme, _, credential = headers["Authorization"].partition(" ")
    if scheme != "MC":
        raise GatewayError(401, "0001", "0001 Authentication type not supported", nested=True)
    if headers["x-mc-app-id"] != tenant.credentials.application_id:
        raise GatewayError(401, "err_developer_key", "0001 Invalid application", nested=True)
    if not _is_guid(headers["x-mc-req-id"]):
        raise GatewayError(400, "err_validation_value_not_allowed", "x-mc-req-id is not a GUID", nested=True)
    if replayed:
        raise GatewayError(401, "err_xdk_request_replayed", "x-mc-req-id was used before", nested=True)
    sent = parse_header_date(headers["x-mc-date"])
    if sent is None:
        raise GatewayError(400, "err_validation_value_not_allowed", "x-mc-date is malformed", nested=True)
    if abs((tenant.clock() - sent).total_seconds()) > CLOCK_SKEW_S:
        raise GatewayError(401, "err_xdk_date_skew", "x-mc-date is too far from the present", nested=True)
    access_key, _, signature = credential.partition(":")
    expected = sign(tenant, headers["x-mc-date"], headers["x-mc-req-id"], path)
    if access_key != tenant.credentials.access_key or not hmac.compare_digest(signature.encode(), expected.encode()):
        raise GatewayError(401, "err_xdk_invalid_signature", "0004 Invalid Signature", nested=True)
    if tenant.access_key_expired:
        raise GatewayError(418, "err_xdk_binding_expired", "0018 Binding Expired", nested=True)


def sign(tenant: Tenant, date: str, request_id: str, path: str) -> str:
    """The signature that API 1.0 documents for a request: HMAC-SHA1 with the base64-decoded secret key."""
    key = base64.b64decode(tenant.credentials.secret_key)
    text = f"{date}:{request_id}:{path}:{tenant.credentials.application_key}"
    return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha1)).decode()


def _is_guid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def parse_header_date(text: str) -> datetime | None:
    """The time of an ``x-mc-date`` header, None if it isn't written as documented."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day_name, day, month, year, hour, minute, second = match.groups()
    if month not in _MONTHS:
        return None
    try:
        numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
        moment = datetime(*numbers, tzinfo=UTC)
    except ValueError:
        return None
    return moment if _DAYS[moment.weekday()] == day_name else None
