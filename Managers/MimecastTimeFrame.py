"""Times that people write, and the time frames of the archive search. Pure functions, all in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_HOURS = {"Last Hour": 1, "Last 6 Hours": 6, "Last 24 Hours": 24}
_EXAMPLE = "2025-03-07T16:03:00Z"


def read_time(text: str) -> datetime:
    """Read an ISO 8601 time; one without an offset is UTC.

    A date alone is refused: as an end it could mean either end of that day.

    Raises:
        ValueError: With a text that says what is wrong.
    """
    try:
        moment = datetime.fromisoformat(text)
        # The earliest and latest times with an offset have no counterpart in UTC.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"it is no ISO 8601 time such as {_EXAMPLE}") from None
    if _is_date(text):
        raise ValueError(f"it has no time of day; write it such as {_EXAMPLE}")
    return moment


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def named_frame(name: str, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of a time frame by its name.

    Args:
        name: ``Last Hour``, ``Last 6 Hours``, ``Last 24 Hours`` (they end now), ``Last Week`` (the previous calendar
            week, Monday to Monday) or ``Last Month`` (the previous calendar month).
        now: The present moment, aware.

    Returns:
        Start and end in UTC.
    """
    now = now.astimezone(UTC)
    if name in _HOURS:
        return now - timedelta(hours=_HOURS[name]), now
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "Last Week":
        monday = midnight - timedelta(days=now.weekday())
        return monday - timedelta(weeks=1), monday
    first = midnight.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first
