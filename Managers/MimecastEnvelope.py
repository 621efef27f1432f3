"""Mimecast's answers: from bytes to rows, or to an exception with a readable reason. Pure functions only.

HTTP 200 says nothing about success: a function's result is in ``fail`` and ``meta.status`` (Mimecast, "Response code").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from MimecastConstants import Endpoint
from MimecastExceptions import (
    AccessKeyExpiredError,
    AuthenticationError,
    MimecastError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TokenExpiredError,
    ValidationError,
)

MAX_REASON_CHARS = 500
"""Longest text of Mimecast's that goes into a message; a gateway may put a whole page there."""

TOKEN_CODES = frozenset({"token_expired", "token_verification_failed"})
PERMISSION_CODES = frozenset({"app_forbidden", "err_xdk_operation_forbidden_for_address"})
EXPIRED_CODES = frozenset({"err_xdk_binding_expired"})

HTTP_OK = 200
_FIRST_ERROR_STATUS = 300
_FIRST_REFUSAL_STATUS = 400
_ENVELOPE_KEYS = frozenset({"meta", "data", "fail", "errors"})
_FIRST_SERVER_STATUS = 500
# The gateway refuses the credentials, in the shape of a function's error too; its few words alone don't help anybody.
_CREDENTIAL_STATUSES = frozenset({401, 403, 418})

Row = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """One entry of ``fail``, of either shape, or of the newer ``errors``."""

    code: str = ""
    message: str = ""
    field: str = ""
    retryable: bool = False
    from_function: bool = False  # shape 1: the function's own error, whose text is shown as it is


@dataclass(frozen=True)
class Envelope:
    """A good answer.

    Attributes:
        rows: The items of ``data``.
        next_token: Token of the next page, or None.
        total: Number of rows over all pages, if Mimecast says it.
        has_data: Whether there is a ``data`` list at all, be it empty.
    """

    rows: tuple[Row, ...]
    next_token: str | None = None
    total: int | None = None
    has_data: bool = True


def read_envelope(status: int, headers: Mapping[str, str], content: bytes, endpoint: Endpoint) -> Envelope:
    """Turn an HTTP answer into rows.

    Args:
        status: HTTP status.
        headers: HTTP headers.
        content: The whole body.
        endpoint: What was called; its permission is named when one is missing.

    Returns:
        The rows and the token of the next page.

    Raises:
        MimecastError: Of the class that fits; ServerError if the answer can't be read.
    """
    document = read_document(status, headers, content, endpoint)
    if not _ENVELOPE_KEYS & document.keys():
        # Taken for an answer without rows, it would make a search look finished that never took place.
        raise ServerError(
            'What came is JSON, but no answer of Mimecast\'s. Check "API Root" and the proxy.',
            status=status,
            request_id=headers.get("x-request-id"),
        )
    meta = _meta(document)
    data = document.get("data")
    rows = tuple(row for row in data if isinstance(row, dict)) if isinstance(data, list) else ()
    pagination = meta.get("pagination")
    pagination = pagination if isinstance(pagination, dict) else {}
    next_token, total = pagination.get("next"), pagination.get("totalCount")
    return Envelope(
        rows=rows,
        next_token=next_token if isinstance(next_token, str) and next_token else None,
        total=total if isinstance(total, int) else None,
        has_data=isinstance(data, list),
    )


def read_document(status: int, headers: Mapping[str, str], content: bytes, endpoint: Endpoint) -> dict[str, Any]:
    """Turn an HTTP answer into its JSON object, if it says nothing of a failure.

    Args:
        status: HTTP status.
        headers: HTTP headers.
        content: The whole body.
        endpoint: What was called; its permission is named when one is missing.

    Raises:
        MimecastError: Of the class that fits; ServerError if the answer can't be read.
    """
    document = _decode(content)
    if document is None or _FIRST_ERROR_STATUS <= status < _FIRST_REFUSAL_STATUS:
        raise _unreadable(status, content, headers, endpoint)
    failures = _failures(document)
    meta = _meta(document)
    meta_status = meta.get("status")
    effective = status
    if status == HTTP_OK and isinstance(meta_status, int) and meta_status >= _FIRST_ERROR_STATUS:
        effective = meta_status
    if failures or effective >= _FIRST_ERROR_STATUS:
        text = meta.get("message")
        raise error_for(effective, failures, endpoint, headers, text if isinstance(text, str) else "")
    return document


def is_envelope(content: bytes) -> bool:
    """Whether an answer is one of Mimecast's documents rather than a file, which may be JSON itself."""
    document = _decode(content) if content.lstrip()[:1] == b"{" else None
    return document is not None and bool(_ENVELOPE_KEYS & document.keys())


def _meta(document: Mapping[str, Any]) -> dict[str, Any]:
    meta = document.get("meta")
    return meta if isinstance(meta, dict) else {}


def _decode(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _unreadable(status: int, content: bytes, headers: Mapping[str, str], endpoint: Endpoint) -> MimecastError:
    request_id = headers.get("x-request-id")
    if status == 429:
        return RateLimitedError("Mimecast's request quota is used up.", status=status, request_id=request_id)
    if status >= _FIRST_SERVER_STATUS:
        return ServerError(f"Mimecast answered with HTTP {status}.", status=status, request_id=request_id)
    if status >= _FIRST_REFUSAL_STATUS:
        return error_for(status, (), endpoint, headers, "")
    if status >= _FIRST_ERROR_STATUS:
        return ServerError(
            f'The address in "API Root" redirects elsewhere (HTTP {status}). Use the API Root of your region, and '
            "check whether a proxy asks for a login.",
            status=status,
            request_id=request_id,
        )
    what = "an empty answer" if not content.strip() else "an answer that is no complete JSON document"
    if content.lstrip()[:1] == b"<":
        what = "a web page instead of JSON"
    return ServerError(
        f'Mimecast, or something on the way to it, gave {what} (HTTP {status}). Check "API Root" and the proxy.',
        status=status,
        request_id=request_id,
    )


def _failures(document: Mapping[str, Any]) -> tuple[Failure, ...]:
    """Collect errors of all shapes (facts 2.1): ``fail[].errors[]``, ``fail[]``, ``errors[]``, OAuth's ``error``."""
    found: list[Failure] = []
    for entry in _dicts(document.get("fail")):
        nested = _dicts(entry.get("errors"))
        found += [_failure(error, from_function=True) for error in nested] or [_failure(entry)]
    found += [_failure(error) for error in _dicts(document.get("errors"))]
    if isinstance(document.get("error"), str):
        found.append(Failure(code=document["error"], message=str(document.get("error_description") or "")))
    if not found and (document.get("fail") or document.get("errors")):
        found.append(Failure())  # something failed, in a shape that nobody has described yet
    return tuple(found)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _failure(error: Mapping[str, Any], *, from_function: bool = False) -> Failure:
    return Failure(
        code=str(error.get("code") or ""),
        message=" ".join(str(error.get("message") or "").split())[:MAX_REASON_CHARS],
        field=str(error.get("field") or ""),
        retryable=error.get("retryable") is True,
        from_function=from_function,
    )


def error_for(
    status: int,
    failures: tuple[Failure, ...],
    endpoint: Endpoint | None,
    headers: Mapping[str, str],
    text: str,
) -> MimecastError:
    """Choose the exception for an answer that is not a success.

    A function's own error (``fail[].errors[].message``) is passed on word for word, as the specification wants it; what
    the gateway says about credentials (such as "0018 Binding Expired") comes with advice.

    Args:
        status: HTTP status, or ``meta.status`` where HTTP said 200.
        failures: What ``fail`` holds.
        endpoint: What was called, if it matters.
        headers: HTTP headers, for the request's id.
        text: ``meta.message``, used when nothing better is there.

    Returns:
        The exception to raise.
    """
    own = "; ".join(dict.fromkeys(f.message or f.code for f in failures if f.from_function and (f.message or f.code)))
    said = own or "; ".join(dict.fromkeys(f.message or f.code for f in failures if f.message or f.code)) or text
    codes = {f.code for f in failures}
    kind, advice = _kind(status, codes, endpoint)
    if own and status not in _CREDENTIAL_STATUSES:
        message = own
    else:
        quoted = f" Mimecast says: {said}" if said else ""
        message = f"{advice}{quoted}"
    first = failures[0] if failures else Failure()
    return kind(
        message,
        status=status,
        code=first.code or None,
        field=first.field or None,
        request_id=headers.get("x-request-id"),
        retryable=any(f.retryable for f in failures),
    )


def _kind(status: int, codes: set[str], endpoint: Endpoint | None) -> tuple[type[MimecastError], str]:
    """Class of the exception, and what to tell a person when Mimecast's function said nothing itself."""
    if status == 418 or codes & EXPIRED_CODES:
        return AccessKeyExpiredError, (
            "The Access Key has expired. Create new keys in Mimecast, with an authentication profile whose "
            '"Authentication Cache TTL" never expires, and put them into the configuration.'
        )
    if status == 403 or codes & PERMISSION_CODES:
        needed = f' It needs "{endpoint.permission}"; {endpoint.path} was called.' if endpoint else ""
        return PermissionDeniedError, (
            "The credentials lack a permission: check the role and, for API 2.0, the application's products." + needed
        )
    if status == 401 and codes & TOKEN_CODES:
        return TokenExpiredError, "Mimecast no longer accepts the access token."
    if status == 401:
        return AuthenticationError, (
            "Mimecast doesn't accept the credentials. Check the keys, and that the API Root is your account's region."
        )
    if status == 404:
        return NotFoundError, 'Mimecast doesn\'t know this address (HTTP 404). Check "API Root".'
    if status == 429:
        return RateLimitedError, "Mimecast's request quota is used up."
    if status >= _FIRST_SERVER_STATUS:
        return ServerError, f"Mimecast answered with HTTP {status}."
    if status >= _FIRST_REFUSAL_STATUS:
        return ValidationError, f"Mimecast refused the request (HTTP {status})."
    return ValidationError, "Mimecast refused the request."
