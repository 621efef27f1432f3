"""Why there was no answer, in plain words: from what the HTTP library raised to our own exception."""

from __future__ import annotations

import ssl

import requests
import urllib3

from MimecastExceptions import ConnectionFailedError

# http.client's words for a proxy that refuses CONNECT; there is no class for it.
_NO_TUNNEL = "Tunnel connection failed"


def connection_error(error: Exception, host: str) -> ConnectionFailedError:
    """Say in plain words why there was no answer; the library's own text may hold a proxy's password.

    Args:
        error: What ``requests`` or ``urllib3`` raised.
        host: Whom the request was for.

    Returns:
        The exception to raise, which knows whether the request can have reached its server.
    """
    reasons = _reasons(error)

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(reason, kinds) for reason in reasons)

    if has(requests.exceptions.ProxyError):
        # urllib3 says so too when the proxy breaks a connection that has been used already.
        never_used = has(urllib3.exceptions.NewConnectionError) or any(_NO_TUNNEL in str(one) for one in reasons)
        return ConnectionFailedError(
            "The proxy can't be reached or refused the request. Check its settings.", never_sent=never_used
        )
    if has(ssl.SSLCertVerificationError):
        return ConnectionFailedError(
            f"The certificate of {host} isn't trusted. Install its authority's certificate, or turn \"Verify SSL\" off "
            "if you know why it isn't.",
            never_sent=True,
            hopeless=True,
        )
    if has(requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError):
        return ConnectionFailedError(
            f'There is no secure connection to {host}, or it broke. Check "API Root" and the proxy.'
        )
    if has(
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        urllib3.exceptions.LocationValueError,
    ):
        return ConnectionFailedError(
            f'The address of {host} or of the proxy is malformed. Check "API Root" and the proxy.',
            never_sent=True,
            hopeless=True,
        )
    if not isinstance(error, (requests.RequestException, urllib3.exceptions.HTTPError)):
        return ConnectionFailedError(
            "The file of trusted certificates can't be read. Check the variable REQUESTS_CA_BUNDLE.",
            never_sent=True,
            hopeless=True,
        )
    if has(urllib3.exceptions.NameResolutionError):
        return ConnectionFailedError(f'The host {host} is unknown. Check "API Root" and DNS.', never_sent=True)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return ConnectionFailedError(f"{host} doesn't accept a connection in time.", never_sent=True)
    if isinstance(error, requests.exceptions.Timeout) or has(urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return ConnectionFailedError(f"{host} didn't answer in time.")
    if has(urllib3.exceptions.NewConnectionError, ConnectionRefusedError):
        return ConnectionFailedError(
            f'{host} refuses the connection. Check "API Root", the proxy and the firewall.', never_sent=True
        )
    return ConnectionFailedError(f"The connection to {host} broke before its answer was complete.")


def _reasons(error: BaseException) -> list[BaseException]:
    """All exceptions that stand behind one: causes, urllib3's ``reason`` and nested arguments.

    Not contexts: what the caller was handling when it sent this request says nothing about it.
    """
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [item.__cause__, getattr(item, "reason", None), *item.args]
    return found
