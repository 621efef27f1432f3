"""What can go wrong between this integration and Mimecast, as one tree of exceptions.

The text of each exception is meant for an analyst: what was wrong, with which parameter or message, and what to do.
None of them ever carries a secret or the body of a request or an answer.
"""

from __future__ import annotations


class MimecastError(Exception):
    """Anything that stops a piece of work, with a readable reason.

    Args:
        message: What went wrong, for a person.
        status: HTTP status, if there was an answer.
        code: Mimecast's own error code, such as ``err_validation_null``.
        field: The field of the request that Mimecast complained about.
        request_id: The id of the request, to be quoted to Mimecast's support.
        retryable: Whether Mimecast said that the same request may work later.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        field: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.field = field
        self.request_id = request_id
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message


class ConfigurationError(MimecastError):
    """The integration's or connector's configuration can't work; nothing was sent."""


class ValidationError(MimecastError):
    """A parameter makes no sense, or Mimecast refused a value."""


class AuthenticationError(MimecastError):
    """Mimecast doesn't accept the credentials."""


class AccessKeyExpiredError(AuthenticationError):
    """The API 1.0 access key has expired (HTTP 418, "binding expired")."""


class TokenExpiredError(AuthenticationError):
    """The API 2.0 token is no longer accepted; a new one may be."""


class PermissionDeniedError(MimecastError):
    """The role or the API application lacks a right (HTTP 403, ``app_forbidden``)."""


class NotFoundError(MimecastError):
    """The address or the object doesn't exist."""


class ServerError(MimecastError):
    """Mimecast, or something on the way to it, failed or gave an unreadable answer; a later try may work."""


class ConnectionFailedError(ServerError):
    """No answer was received: unknown host, refused or broken connection, time-out, certificate not trusted.

    Args:
        message: What went wrong, for a person.
        never_sent: Whether it is certain that the request did not reach its server.
        hopeless: Whether trying again can't help: only somebody who changes a setting can.
    """

    def __init__(self, message: str, *, never_sent: bool = False, hopeless: bool = False) -> None:
        super().__init__(message)
        self.never_sent = never_sent
        self.hopeless = hopeless


class TooLargeError(MimecastError):
    """An answer or a file is larger than what this integration takes."""


class RateLimitedError(MimecastError):
    """Mimecast's quota is used up (HTTP 429); the request was not executed."""


class PauseTooLongError(RateLimitedError):
    """The pause that Mimecast asks for ends after the deadline; asking again changes nothing."""


class DeadlineError(MimecastError):
    """The time for this run is used up; what isn't done is left for the next one.

    Args:
        message: What went wrong, for a person.
        was_sent: Whether a request is out whose answer was not read to its end.
    """

    def __init__(self, message: str, *, was_sent: bool = False) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class ActionNotAppliedError(MimecastError):
    """Mimecast answered, but did not do (or did not say that it did) what was asked."""


class OutcomeUnknownError(MimecastError):
    """A change was sent, but its answer never came: it may or may not have been made, so it is not sent again."""


class UnsupportedError(MimecastError):
    """Mimecast has no such function for this kind of credentials."""
