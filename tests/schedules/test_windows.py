"""When digest windows close."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.windows import closes_at
from tests.schedules.daylight import BERLIN, KOLKATA, LORD_HOWE, NEW_YORK, WEEKS, Week, utc

OPENED = utc("2027-03-28T01:50+01:00")


@dataclass(frozen=True)
class Window:
    """As a digest step says it."""

    seconds: float | None = None
    sliding_seconds: float | None = None
    max_seconds: float | None = None
    cron: str | None = None
    rrule: str | None = None
    timezone: str | None = "recipient"


def test_a_fixed_window_is_elapsed_time() -> None:
    closing = closes_at(
        Window(seconds=1800), opened_at=OPENED, latest_at=OPENED + timedelta(minutes=9), timezone=BERLIN
    )
    assert closing == utc("2027-03-28T03:20+02:00")


@pytest.mark.parametrize(("latest", "expected"), [(0, 300), (200, 500), (3400, 3600), (9999, 3600), (-50, 300)])
def test_a_sliding_window_follows_its_items_up_to_its_maximum(latest: int, expected: int) -> None:
    window = Window(sliding_seconds=300, max_seconds=3600)
    closing = closes_at(window, opened_at=OPENED, latest_at=OPENED + timedelta(seconds=latest), timezone=BERLIN)
    assert closing == OPENED + timedelta(seconds=expected)


def test_a_sliding_window_without_a_maximum() -> None:
    latest = OPENED + timedelta(days=2)
    closing = closes_at(Window(sliding_seconds=300), opened_at=OPENED, latest_at=latest, timezone=BERLIN)
    assert closing == latest + timedelta(seconds=300)


@pytest.mark.parametrize("week", WEEKS, ids=str)
def test_cron_windows_in_weeks_in_which_clocks_change(week: Week) -> None:
    """Windows that follow upon each other: each is opened within the one before and closes at the table's next time."""
    opened = utc(week.after)
    for expected in map(utc, week.times):
        assert closes_at(Window(cron=week.cron), opened_at=opened, latest_at=opened, timezone=week.zone) == expected
        opened = expected
    for before, after in pairwise(map(utc, week.times)):
        between = before + (after - before) / 3
        assert closes_at(Window(cron=week.cron), opened_at=between, latest_at=between, timezone=week.zone) == after


@pytest.mark.parametrize(
    ("timezone", "closing"),
    [
        (BERLIN, "2027-03-29T09:00+02:00"),
        (NEW_YORK, "2027-03-29T09:00-04:00"),
        (LORD_HOWE, "2027-03-29T09:00+11:00"),
        (KOLKATA, "2027-03-29T09:00+05:30"),
    ],
)
def test_a_weekly_window_goes_by_the_recipients_clock(timezone: str, closing: str) -> None:
    window = Window(rrule="FREQ=WEEKLY;BYDAY=MO;BYHOUR=9")
    assert closes_at(window, opened_at=OPENED, latest_at=OPENED, timezone=timezone) == utc(closing)


def test_a_window_may_name_a_timezone_of_its_own() -> None:
    window = Window(cron="0 9 * * *", timezone=KOLKATA)
    assert closes_at(window, opened_at=OPENED, latest_at=OPENED, timezone=BERLIN) == utc("2027-03-28T09:00+05:30")


def test_every_other_week_is_the_same_for_everybody_who_opens_within_it() -> None:
    window = Window(rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", timezone="UTC")
    opened = [utc("2027-03-01T09:00Z") + timedelta(hours=hours) for hours in range(0, 24 * 28, 5)]
    closings = {closes_at(window, opened_at=at, latest_at=at, timezone="UTC") for at in opened}
    assert {later - earlier for earlier, later in pairwise(sorted(closings))} == {timedelta(weeks=2)}


@pytest.mark.parametrize("rrule", ["FREQ=DAILY;UNTIL=20270101", "FREQ=MONTHLY;BYWEEKNO=3"])
def test_a_rule_without_further_times_closes_at_once(rrule: str) -> None:
    window = Window(rrule=rrule, timezone=None)
    assert closes_at(window, opened_at=OPENED, latest_at=OPENED, timezone=BERLIN) == OPENED


@given(
    window=st.one_of(
        st.builds(Window, seconds=st.floats(1, 1e7)),
        st.builds(Window, sliding_seconds=st.floats(1, 1e6), max_seconds=st.floats(1, 1e7)),
        st.builds(Window, cron=st.sampled_from(["0 9 * * 1-5", "*/30 * * * *", "15 2 * * *"])),
        st.builds(Window, rrule=st.sampled_from(["FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "FREQ=MONTHLY;BYDAY=-1FR"])),
    ),
    opened=st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1)).map(lambda wall: utc(f"{wall.isoformat()}+00:00")),  # noqa: DTZ001
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, KOLKATA]),
    lasts=st.lists(st.floats(0, 1e6), max_size=4).map(sorted),
)
def test_windows_close_after_they_opened_and_never_earlier_for_a_later_item(
    window: Window, opened: datetime, zone: str, lasts: list[float]
) -> None:
    closings = [
        closes_at(window, opened_at=opened, latest_at=opened + timedelta(seconds=last), timezone=zone)
        for last in (0.0, *lasts)
    ]
    assert closings[0] > opened
    assert closings == sorted(closings)
