"""Time frames of the archive search, and times that people write."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from MimecastTimeFrame import named_frame, read_time


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def host_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.usefixtures("host_zone")
@pytest.mark.parametrize(
    ("name", "now", "start", "end"),
    [
        ("Last Hour", utc(2026, 1, 1, 0, 30), utc(2025, 12, 31, 23, 30), utc(2026, 1, 1, 0, 30)),
        ("Last 6 Hours", utc(2026, 3, 11, 12), utc(2026, 3, 11, 6), utc(2026, 3, 11, 12)),
        ("Last 24 Hours", utc(2026, 3, 11, 12), utc(2026, 3, 10, 12), utc(2026, 3, 11, 12)),
        # Monday's first moment and Sunday's last hour belong to different weeks
        ("Last Week", utc(2026, 3, 9), utc(2026, 3, 2), utc(2026, 3, 9)),
        ("Last Week", utc(2026, 3, 8, 23, 59, 59), utc(2026, 2, 23), utc(2026, 3, 2)),
        ("Last Week", utc(2026, 1, 1, 12), utc(2025, 12, 22), utc(2025, 12, 29)),
        ("Last Month", utc(2026, 1, 1), utc(2025, 12, 1), utc(2026, 1, 1)),
        ("Last Month", utc(2026, 3, 31, 23, 59), utc(2026, 2, 1), utc(2026, 3, 1)),
        ("Last Month", utc(2024, 3, 1), utc(2024, 2, 1), utc(2024, 3, 1)),
    ],
)
def test_a_frame_is_the_same_in_every_zone_of_the_host(
    name: str, now: datetime, start: datetime, end: datetime
) -> None:
    assert named_frame(name, now) == (start, end)
    elsewhere = now.astimezone(timezone(timedelta(hours=-11)))
    assert named_frame(name, elsewhere) == (start, end)


@pytest.mark.usefixtures("host_zone")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-03-07T16:03:00Z", utc(2025, 3, 7, 16, 3)),
        ("2025-03-07T16:03:00+0900", utc(2025, 3, 7, 7, 3)),
        ("2025-03-07T16:03:00-05:30", utc(2025, 3, 7, 21, 33)),
        ("2025-03-07T16:03", utc(2025, 3, 7, 16, 3)),  # a naive time is UTC
        ("2025-03-07 16:03:00", utc(2025, 3, 7, 16, 3)),
        ("20250307T160300Z", utc(2025, 3, 7, 16, 3)),
        ("2025-03-07T16:03:00.250Z", utc(2025, 3, 7, 16, 3) + timedelta(milliseconds=250)),
    ],
)
def test_iso_times_are_read_and_those_without_offset_are_utc(text: str, moment: datetime) -> None:
    assert read_time(text) == moment
    assert read_time(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30T00:00:00Z", "yesterday", "1741363380000", "", "16:03"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is no ISO 8601 time such as 2025-03-07T16:03:00Z"):
        read_time(text)


@pytest.mark.parametrize("text", ["2026-03-01", "20260301", "2026-W10-1"])
def test_a_date_alone_is_refused_because_as_an_end_it_could_mean_either_end_of_its_day(text: str) -> None:
    with pytest.raises(ValueError, match="it has no time of day"):
        read_time(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_utc_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ISO 8601 time"):
        read_time(text)
