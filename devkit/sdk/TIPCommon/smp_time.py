"""Time of a running script."""

from __future__ import annotations

from SiemplifyUtils import unix_now

_MS_PER_S = 1000
_TIMEOUT_THRESHOLD = 0.9


def is_approaching_timeout(
    connector_starting_time: int, python_process_timeout: float, timeout_threshold: float = _TIMEOUT_THRESHOLD
) -> bool:
    """Tell whether most of the time is used up.

    Args:
        connector_starting_time: Milliseconds since 1970.
        python_process_timeout: Seconds.
        timeout_threshold: Which part of it is too much.
    """
    return unix_now() - connector_starting_time > python_process_timeout * _MS_PER_S * timeout_threshold
