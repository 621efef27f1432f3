"""Functions every part of the SDK uses: captured output, times, proxy, parameters.

Clean-room module of our own with the names and the behaviour of the platform's SDK, failures included.
"""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

MAXIMUM_PROPERTY_VALUE = 3_000_000
"""Longest context property the platform stores, in characters."""

real_stdout = sys.stdout
my_stdout = io.StringIO()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MEBIBYTE = 1024 * 1024

P = ParamSpec("P")
R = TypeVar("R")


def override_stdout() -> None:
    """Send everything printed from now on to the result's DebugOutput instead of the real standard output."""
    sys.stdout = my_stdout


def output_handler(func: Callable[P, R]) -> Callable[P, R]:
    """Wrap a script's main: on an exception show the captured output on stderr, then let the exception go on.

    It does not turn an exception into a result; the platform's does not either.
    """

    @functools.wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return func(*args, **kwargs)
        except Exception:
            sys.stderr.write(f"STDOUT:\n{my_stdout.getvalue()}STDERR:\n")
            raise

    return run


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(tz=UTC)


def unix_now() -> int:
    """Return the present moment in milliseconds since 1970."""
    return convert_datetime_to_unix_time(utc_now())


def convert_datetime_to_unix_time(dt: datetime) -> int:
    """Return milliseconds since 1970; a naive time counts as local time."""
    return int((dt.astimezone(UTC) - _EPOCH) / timedelta(milliseconds=1))


def convert_unixtime_to_datetime(unix_time: int) -> datetime:
    """Return milliseconds since 1970 as an aware time in UTC."""
    return _EPOCH + timedelta(milliseconds=unix_time)


def convert_string_to_datetime(datetime_str: str, timezone_str: str | None = None) -> datetime:
    """Read a date and time; one without an offset needs the name of its time zone.

    Raises:
        Exception: It cannot be read, or it has no offset and no zone was given.
    """
    from dateutil import parser  # costs 20 ms at import, and few scripts need it

    try:
        moment = parser.parse(datetime_str)
        if moment.tzinfo is None:
            if not timezone_str:
                raise ValueError("the time has no offset and no time zone was given")
            moment = moment.replace(tzinfo=ZoneInfo(timezone_str))
    except Exception as error:
        raise Exception(f"convert_string_to_datetime Failed: {error}") from error
    return moment


def convert_string_to_unix_time(datetime_str: str) -> int:
    """Read a date and time that carries an offset, as milliseconds since 1970."""
    try:
        return convert_datetime_to_unix_time(convert_string_to_datetime(datetime_str))
    except Exception as error:
        raise Exception(f"convert_string_to_unix_time Failed: {error}") from error


def set_proxy_state(proxy_settings: dict[str, Any]) -> None:
    """Announce a proxy through the environment, where requests looks for it at every request.

    The flaws are the platform's: the user name is not quoted, the password keeps its slashes, credentials count only
    when both parts are there, an address without scheme gives a malformed URL, upper-case variables are not touched.

    Args:
        proxy_settings: ``proxy_server_address``, ``username``, ``password`` and the list ``ignore_addresses``.
            An empty address changes nothing.
    """
    address = proxy_settings["proxy_server_address"]
    if not address:
        return
    server = urlsplit(address)
    user, password = proxy_settings["username"], proxy_settings["password"]
    credentials = f"{user}:{quote(password)}@" if user and password else ""
    port = f":{server.port}" if server.port else ""
    proxy = f"{server.scheme}://{credentials}{server.hostname}{port}"
    os.environ.update(
        http_proxy=proxy, https_proxy=proxy, no_proxy=",".join(proxy_settings["ignore_addresses"]), proxy="on"
    )


def extract_script_param(
    siemplify: Any,
    input_dictionary: dict[str, Any],
    param_name: str,
    default_value: Any = None,
    input_type: type = str,
    is_mandatory: bool = False,
    print_value: bool = False,
) -> Any:
    """Pick and convert one parameter the way the SDK's own methods do: not stripped, and the default is converted too.

    Any falsy value (missing, empty, 0, False) counts as missing.

    Raises:
        Exception: It is mandatory and missing, or no valid boolean, or the default is not of ``input_type``.
        ValueError: It is no number.
    """
    if default_value and type(default_value) is not input_type:
        raise Exception(f"Given default_value of '{default_value}' doesn't match expected type {input_type.__name__}")
    value = input_dictionary.get(param_name)
    if not value:
        if is_mandatory:
            raise Exception(f"Missing mandatory parameter {param_name}")
        siemplify.LOGGER.info(
            f"Parameter {param_name} was not found or was empty, used default_value {default_value} instead"
        )
        value = default_value
    if value is None:
        return None
    result = convert_parameter(param_name, value, input_type, "Parameter")
    if print_value:
        siemplify.LOGGER.info(f"{param_name}: {result}")
    return result


def convert_parameter(param_name: str, value: Any, input_type: type, noun: str) -> Any:
    """Turn a parameter's text into a boolean, a number or a string.

    Args:
        param_name: The name, for the error.
        value: What the platform gave.
        input_type: ``bool``, ``int``, ``float`` or ``str``.
        noun: How the error begins; TIPCommon spells it "Paramater".
    """
    if input_type is bool:
        lowered = str(value).lower()
        if lowered not in {"true", "false"}:
            raise Exception(f"{noun} named {param_name}, with value {value} isn't a valid BOOL")
        return lowered == "true"
    if input_type in {int, float, str}:
        return input_type(value)
    raise Exception(f"input_type {input_type.__name__} isn't not supported for conversion")


def is_json_result_size_valid(result_json: str, max_size_in_mb: int) -> bool:
    """Tell whether a result's JSON text is within the platform's limit, counted in characters."""
    return len(result_json) <= max_size_in_mb * _MEBIBYTE


def validate_property_value(property_value: object) -> bool:
    """Tell whether a context property is short enough to be stored."""
    return len(str(property_value)) <= MAXIMUM_PROPERTY_VALUE
