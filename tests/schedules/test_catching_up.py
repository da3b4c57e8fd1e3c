"""What becomes of times that have come."""

from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.catching_up import LATE, MOST_AT_ONCE, Due, latest_time, settle
from schedules.timing import Timing, check_timing, parse_duration
from tests.schedules.daylight import BERLIN, utc

ANCHOR = utc("2027-10-30T00:00Z")
HOURLY = Timing(cron="0 * * * *", timezone=BERLIN)
FIRST = utc("2027-10-30T01:00Z")


def due(catch_up: str, now: datetime, timing: Timing = HOURLY, next_at: datetime = FIRST) -> Due:
    return settle(timing, anchor=ANCHOR, catch_up=catch_up, next_at=next_at, now=now)


@pytest.mark.parametrize("catch_up", ["all", "one", "skip"])
def test_on_time_all_are_the_same(catch_up: str) -> None:
    assert due(catch_up, FIRST + timedelta(seconds=2)) == Due((FIRST,), None, None, FIRST + timedelta(hours=1))


def test_after_some_hours() -> None:
    now = FIRST + timedelta(hours=3, minutes=20)
    last = FIRST + timedelta(hours=3)
    following = FIRST + timedelta(hours=4)
    assert due("one", now) == Due((last,), None, FIRST, following)
    assert due("skip", now) == Due((), last, FIRST, following)
    assert due("skip", last + LATE) == Due((last,), None, FIRST, following)
    assert due("all", now) == Due(tuple(FIRST + timedelta(hours=n) for n in range(4)), None, None, following)


def test_all_of_very_many_are_made_in_portions() -> None:
    now, next_at, made = FIRST + timedelta(hours=50), FIRST, []
    while next_at <= now:
        settled = due("all", now, next_at=next_at)
        assert settled.next_at is not None
        made += settled.fire
        next_at = settled.next_at
        assert len(settled.fire) <= MOST_AT_ONCE
    assert made == [FIRST + timedelta(hours=n) for n in range(51)]


def test_the_last_one() -> None:
    once = Timing(at=FIRST)
    assert due("one", FIRST, once) == Due((FIRST,), None, None, None)
    ending = Timing(cron="0 * * * *", end=FIRST + timedelta(hours=1))
    assert due("one", FIRST + timedelta(hours=9), ending).fire == (FIRST + timedelta(hours=1),)
    assert due("one", FIRST + timedelta(hours=9), ending).next_at is None
    assert due("all", FIRST + timedelta(hours=9), ending).next_at is None


@given(
    cron=st.sampled_from(["*/5 * * * *", "30 2 * * *", "0 9 1 * *", "* 9 * * 1", "* * * 1 *"]),
    back=st.timedeltas(timedelta(), timedelta(days=3)),
    lasts=st.timedeltas(timedelta(), timedelta(days=2)),
)
def test_the_latest_is_the_last_of_them_all(cron: str, back: timedelta, lasts: timedelta) -> None:
    """Found by halves; here by looking at each."""
    timing = Timing(cron=cron, timezone=BERLIN)
    since = timing.next_time(anchor=ANCHOR, after=utc("2027-11-01T00:00Z") - back)
    assert since is not None
    until = since + lasts
    plain = [since, *takewhile(lambda time: time <= until, timing.times(anchor=ANCHOR, after=since))]
    assert latest_time(timing, anchor=ANCHOR, since=since, until=until) == plain[-1]


def test_a_year_of_minutes_is_passed_over_quickly() -> None:
    since = utc("2027-01-01T00:00Z")
    until = utc("2028-01-01T00:00:30Z")
    timing = Timing(cron="* * * * *")
    assert latest_time(timing, anchor=since, since=since, until=until) == utc("2028-01-01T00:00Z")


@pytest.mark.parametrize(
    "text", ["", "6h", "PT0S", "PT59S", "P401D", "P1M", "P1Y", "-PT6H", "PT90.5S", "PT99999999999999H"]
)
def test_durations_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(Not a duration|Must be)"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("rrule", "zone", "anchor"),
    [
        ("FREQ=DAILY;BYHOUR=17", "Asia/Kolkata", "2027-10-30T18:00+05:30"),
        ("FREQ=DAILY;BYHOUR=17", "UTC", "2027-10-30T12:00Z"),
        ("FREQ=DAILY", "Asia/Kolkata", "2027-10-30T17:07+05:30"),
        ("FREQ=DAILY;BYHOUR=17;BYMINUTE=30", "UTC", "2027-10-30T11:37Z"),
    ],
)
def test_what_an_rrule_counts_from(rrule: str, zone: str, anchor: str) -> None:
    assert Timing(rrule=rrule, timezone=zone).anchor(utc("2027-10-30T11:36:25Z")) == utc(anchor)
    assert Timing(rrule=rrule, timezone=zone).anchor(utc(anchor)) == utc(anchor)
    assert Timing(rrule=rrule, timezone=zone, start=FIRST).anchor(utc(anchor)) == FIRST


def test_parts_that_do_not_go_together() -> None:
    assert [fault.pointer for fault in check_timing(Timing())] == [""]
    assert [fault.pointer for fault in check_timing(Timing(cron="0 9 * * *", every="PT6H"))] == ["/every"]
    assert [fault.pointer for fault in check_timing(Timing(at=FIRST, end=FIRST))] == ["/end"]
    backwards = Timing(cron="0 9 * * *", start=FIRST, end=FIRST - timedelta(hours=1))
    assert [fault.pointer for fault in check_timing(backwards)] == ["/end"]
    assert check_timing(Timing(cron="0 9 * * *", start=FIRST, end=FIRST)) == []
