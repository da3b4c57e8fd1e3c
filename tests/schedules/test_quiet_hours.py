"""Quiet hours end by their owner's clock, also in the weeks in which that clock is changed."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import DAYS, Weekly
from schedules.quiet_hours import quiet_until

BERLIN, NEW_YORK, LORD_HOWE, KOLKATA = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"
ZONES: Final = (BERLIN, NEW_YORK, LORD_HOWE, KOLKATA)
NIGHT: Final = ("22:00", "07:00")


def weekly(entries: dict[str, list[tuple[str, str]]]) -> Weekly:
    raw = {day: [{"from": start, "until": end} for start, end in spans] for day, spans in entries.items()}
    hours = parse_preferences({"quiet_hours": {"weekly": raw}}).quiet_hours
    assert hours is not None
    return hours.weekly


def every_day(*spans: tuple[str, str]) -> Weekly:
    return weekly({day: list(spans) for day in DAYS})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Worked out by hand. 2026: Berlin 02:00->03:00 on 29 March, 03:00->02:00 on 25 October; New York 02:00->03:00 on 8 March,
# 02:00->01:00 on 1 November; Lord Howe 02:00->01:30 on 5 April, 02:00->02:30 on 4 October; Kolkata never.
TABLE: Final = [
    # zone, hours of every day, at, quiet until (both UTC)
    (BERLIN, NIGHT, "2026-03-27 22:00", "2026-03-28 06:00"),  # the night before, all in winter time
    (BERLIN, NIGHT, "2026-03-28 20:59", None),  # 21:59
    (BERLIN, NIGHT, "2026-03-28 21:00", "2026-03-29 05:00"),  # 22:00 until 07:00 of summer: an hour less
    (BERLIN, NIGHT, "2026-03-29 04:59", "2026-03-29 05:00"),
    (BERLIN, NIGHT, "2026-03-29 05:00", None),
    (BERLIN, NIGHT, "2026-03-29 20:00", "2026-03-30 05:00"),
    (BERLIN, NIGHT, "2026-10-24 20:00", "2026-10-25 06:00"),  # an hour more
    (BERLIN, NIGHT, "2026-10-25 21:00", "2026-10-26 06:00"),
    (BERLIN, ("23:00", "02:30"), "2026-03-28 23:00", "2026-03-29 01:00"),  # 02:30 is skipped: 03:00
    (BERLIN, ("02:30", "04:00"), "2026-03-29 00:59", None),  # 01:59
    (BERLIN, ("02:30", "04:00"), "2026-03-29 01:00", "2026-03-29 02:00"),  # 03:00, the first moment after the gap
    (BERLIN, ("02:10", "02:50"), "2026-03-29 01:00", None),  # wholly skipped
    (BERLIN, ("23:00", "02:30"), "2026-10-25 00:15", "2026-10-25 01:30"),  # 02:15 for the first time: the second 02:30
    (BERLIN, ("23:00", "02:30"), "2026-10-25 00:45", "2026-10-25 01:30"),  # 02:45 for the first time
    (BERLIN, ("23:00", "02:30"), "2026-10-25 01:30", None),
    (BERLIN, ("02:30", "04:00"), "2026-10-25 00:29", None),
    (BERLIN, ("02:30", "04:00"), "2026-10-25 00:30", "2026-10-25 03:00"),  # from the first 02:30
    (NEW_YORK, NIGHT, "2026-03-08 03:00", "2026-03-08 11:00"),
    (NEW_YORK, NIGHT, "2026-03-09 02:00", "2026-03-09 11:00"),
    (NEW_YORK, ("22:00", "02:30"), "2026-03-08 06:00", "2026-03-08 07:00"),  # 02:30 is skipped: 03:00
    (NEW_YORK, NIGHT, "2026-11-01 02:00", "2026-11-01 12:00"),
    (NEW_YORK, ("22:00", "01:30"), "2026-11-01 05:15", "2026-11-01 06:30"),  # the second 01:30
    (LORD_HOWE, NIGHT, "2026-04-04 11:00", "2026-04-04 20:30"),  # half an hour more
    (LORD_HOWE, ("22:00", "01:45"), "2026-04-04 14:50", "2026-04-04 15:15"),  # 01:50 first: the second 01:45
    (LORD_HOWE, ("22:00", "01:45"), "2026-04-04 15:15", None),
    (LORD_HOWE, NIGHT, "2026-10-03 11:30", "2026-10-03 20:00"),  # half an hour less
    (LORD_HOWE, ("22:00", "02:15"), "2026-10-03 15:00", "2026-10-03 15:30"),  # 02:15 is skipped: 02:30
    (KOLKATA, NIGHT, "2026-03-28 16:29", None),
    (KOLKATA, NIGHT, "2026-03-28 16:30", "2026-03-29 01:30"),
    (KOLKATA, NIGHT, "2026-10-24 16:30", "2026-10-25 01:30"),
]


@pytest.mark.parametrize(("zone", "hours", "at", "until"), TABLE, ids=str)
def test_weeks_in_which_clocks_change(zone: str, hours: tuple[str, str], at: str, until: str | None) -> None:
    assert quiet_until(every_day(hours), timezone=zone, at=utc(at)) == (utc(until) if until else None)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    monday = weekly({"monday": [NIGHT]})
    assert quiet_until(monday, timezone="UTC", at=utc("2026-06-01 06:59")) is None  # monday's morning
    assert quiet_until(monday, timezone="UTC", at=utc("2026-06-02 06:59")) == utc("2026-06-02 07:00")
    sunday = weekly({"sunday": [NIGHT]})
    assert quiet_until(sunday, timezone="UTC", at=utc("2026-06-01 06:59")) == utc("2026-06-01 07:00")


def test_what_touches_or_overlaps_is_one() -> None:
    weekend = weekly({"friday": [("22:00", "24:00")], "saturday": [("00:00", "24:00")], "sunday": [("00:00", "10:00")]})
    assert quiet_until(weekend, timezone=BERLIN, at=utc("2026-06-05 20:30")) == utc("2026-06-07 08:00")
    twice = every_day(("12:00", "13:00"), ("12:30", "14:00"))
    assert quiet_until(twice, timezone="UTC", at=utc("2026-06-01 12:15")) == utc("2026-06-01 14:00")


def test_a_zone_that_is_not_known_counts_as_utc() -> None:
    assert quiet_until(every_day(NIGHT), timezone="Mars/Olympus", at=utc("2026-06-01 23:00")) == utc("2026-06-02 07:00")


def test_where_a_clock_change_swallows_the_only_gap_it_ends_with_the_next() -> None:
    free = weekly(
        {day: [("00:00", "24:00")] for day in DAYS[:6]} | {"sunday": [("00:00", "02:10"), ("02:50", "24:00")]}
    )
    assert quiet_until(free, timezone=BERLIN, at=utc("2026-03-27 12:00")) == utc("2026-04-05 00:10")


def shown_quiet(hours: Weekly, zone: str, moment: datetime) -> bool:
    """Whether the owner's clock shows a quiet time: nothing but what it shows."""
    local = moment.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    today, yesterday = hours[local.weekday()], hours[local.weekday() - 1]
    return any(start <= minute < end for start, end in today) or any(minute < end - 1440 for _, end in yesterday)


minutes = st.integers(0, 1439)
days = st.lists(
    st.tuples(minutes, st.integers(1, 1438)).map(lambda span: (span[0], span[0] + span[1])), max_size=2
).map(lambda spans: tuple(sorted(spans)))
weeks = st.tuples(*[days] * 7)
around_changes = st.sampled_from(
    [utc(day) for day in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-06-03")]
)  # fmt: skip


@given(weeks, st.sampled_from(ZONES), around_changes, st.integers(-3000, 3000))
def test_nobody_is_disturbed_while_their_clock_shows_quiet(hours: Weekly, zone: str, day: datetime, off: int) -> None:
    at = day + timedelta(minutes=off)
    until = quiet_until(hours, timezone=zone, at=at)
    if until is None:
        assert not shown_quiet(hours, zone, at)
        return
    assert until > at
    if until - at < timedelta(days=14):
        assert not shown_quiet(hours, zone, until)
        assert quiet_until(hours, timezone=zone, at=until) is None
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    if offset == until.astimezone(ZoneInfo(zone)).utcoffset() and until - at < timedelta(days=2):
        between = (at + timedelta(minutes=n) for n in range(int((until - at) / timedelta(minutes=1))))
        assert all(shown_quiet(hours, zone, moment) or near_change(zone, moment) for moment in between)


def near_change(zone: str, moment: datetime) -> bool:
    """Whether the clock changes within three hours: there more is quiet than what is shown."""
    span = timedelta(hours=3)
    return len({(moment + step).astimezone(ZoneInfo(zone)).utcoffset() for step in (-span, span)}) > 1
