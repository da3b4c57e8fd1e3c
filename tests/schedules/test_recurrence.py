"""What recurs when: the weeks in which clocks change, each kind of rule, and rules that ask for too much."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.recurrence_rules import check_cron, parse_rrule
from schedules.recurrence import At, Calendar, Cron, Every, Rule, next_after, occurrences
from schedules.wall_clock import every_moment
from tests.schedules.daylight import BERLIN, KOLKATA, LORD_HOWE, NEW_YORK, WEEKS, Week, utc

ZONES = (BERLIN, NEW_YORK, LORD_HOWE, KOLKATA, "UTC")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CHANGES = [utc("2027-10-31T00:30+00:00"), utc("2027-04-03T14:50+00:00"), utc("2027-03-28T01:00+00:00")]


@pytest.mark.parametrize("week", WEEKS, ids=str)
def test_weeks_in_which_clocks_change(week: Week) -> None:
    found = occurrences(Cron(week.cron, ZoneInfo(week.zone)), after=utc(week.after))
    assert list(islice(found, len(week.times))) == [utc(time) for time in week.times]


def test_once() -> None:
    rule = At(utc("2027-03-28T03:00+02:00"))
    assert next_after(rule, utc("2027-03-28T02:59+02:00")) == rule.time
    assert next_after(rule, rule.time) is None


def test_an_interval_is_elapsed_time_counted_from_its_anchor() -> None:
    rule = Every(timedelta(hours=6), utc("2027-03-27T22:00+01:00"))
    assert list(islice(occurrences(rule, after=utc("2027-01-01T00:00+01:00")), 3)) == [
        utc("2027-03-27T22:00+01:00"),
        utc("2027-03-28T05:00+02:00"),
        utc("2027-03-28T11:00+02:00"),
    ]
    assert next_after(rule, utc("2027-03-28T05:00+02:00")) == utc("2027-03-28T11:00+02:00")
    assert next_after(rule, utc("2031-01-01T00:00+01:00")) == utc("2031-01-01T04:00+01:00")


@pytest.mark.parametrize(
    ("text", "anchor", "zone", "times"),
    [
        # The clock on the wall rules: nine in Berlin, before and after.
        (
            "FREQ=WEEKLY;BYDAY=SA,SU,MO;BYHOUR=9",
            "2027-03-26T08:00+01:00",
            BERLIN,
            ("2027-03-27T09:00+01:00", "2027-03-28T09:00+02:00", "2027-03-29T09:00+02:00"),
        ),
        # A gap and an overlap are met as cron meets them.
        (
            "FREQ=DAILY",
            "2027-03-27T02:30+01:00",
            BERLIN,
            ("2027-03-27T02:30+01:00", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"),
        ),
        (
            "FREQ=DAILY",
            "2027-11-06T01:30-04:00",
            NEW_YORK,
            ("2027-11-06T01:30-04:00", "2027-11-07T01:30-04:00", "2027-11-08T01:30-05:00"),
        ),
        # Every other week from a Thursday: the week of the anchor, then the one after the next.
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
            "2027-10-28T09:00+05:30",
            KOLKATA,
            ("2027-10-28T09:00+05:30", "2027-11-08T09:00+05:30", "2027-11-11T09:00+05:30"),
        ),
        # The last working day of a month.
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2027-09-01T18:00+10:30",
            LORD_HOWE,
            ("2027-09-30T18:00+10:30", "2027-10-29T18:00+11:00", "2027-11-30T18:00+11:00"),
        ),
        # From the 31st: months without one are passed over.
        (
            "FREQ=MONTHLY",
            "2027-01-31T12:00+01:00",
            BERLIN,
            ("2027-01-31T12:00+01:00", "2027-03-31T12:00+02:00", "2027-05-31T12:00+02:00"),
        ),
        ("FREQ=YEARLY", "2028-02-29T12:00+01:00", BERLIN, ("2028-02-29T12:00+01:00", "2032-02-29T12:00+01:00")),
        ("FREQ=DAILY;COUNT=2", "2027-01-31T12:00+01:00", BERLIN, ("2027-01-31T12:00+01:00", "2027-02-01T12:00+01:00")),
        ("FREQ=DAILY;UNTIL=20270201", "2027-01-31T12:00Z", "UTC", ("2027-01-31T12:00Z", "2027-02-01T12:00Z")),
        ("FREQ=DAILY;UNTIL=20270201T105959Z", "2027-01-31T12:00+01:00", BERLIN, ("2027-01-31T12:00+01:00",)),
        (
            "RRULE:FREQ=DAILY;UNTIL=20270201T110000Z",
            "2027-01-31T12:00+01:00",
            BERLIN,
            ("2027-01-31T12:00+01:00", "2027-02-01T12:00+01:00"),
        ),
    ],
)
def test_calendar_rules(text: str, anchor: str, zone: str, times: tuple[str, ...]) -> None:
    rule = Calendar(parse_rrule(text), ZoneInfo(zone), utc(anchor))
    found = list(islice(occurrences(rule, after=utc("2026-01-01T00:00Z")), len(times) + 1))
    assert found[: len(times)] == [utc(time) for time in times]
    if "COUNT" in text or "UNTIL" in text:
        assert len(found) == len(times)


def test_start_and_end_include_themselves() -> None:
    rule = Cron("0 9 * * *", ZoneInfo("UTC"))
    start, end = utc("2027-01-02T09:00Z"), utc("2027-01-03T09:00Z")
    assert list(occurrences(rule, after=utc("2026-01-01T00:00Z"), start=start, end=end)) == [start, end]


@given(
    cron=st.sampled_from(["0 9 * * *", "30 2 * * *", "*/15 * * * *", "45 1 * * *", "*/7 1-3 * * 0,6", "10 * * * *"]),
    zone=st.sampled_from(ZONES),
    after=st.one_of(
        MOMENTS, st.builds(lambda at, s: at + timedelta(seconds=s), st.sampled_from(CHANGES), st.integers(-9999, 9999))
    ),
)
def test_a_step_leaves_nothing_out_and_repeats_nothing(cron: str, zone: str, after: datetime) -> None:
    """Whatever moment between two times is asked about, the answer is the later of the two."""
    rule = Cron(cron, ZoneInfo(zone))
    first = next_after(rule, after)
    assert first is not None and first > after
    second = next_after(rule, first)
    assert second is not None and second > first
    for share in (0.0, 0.25, 0.5, 0.75):
        assert next_after(rule, after + (first - after) * share) == first
        assert next_after(rule, first + (second - first) * share) == second


@given(zone=st.sampled_from(ZONES), after=st.sampled_from(CHANGES), shift=st.integers(-240, 240))
def test_every_minute_is_every_minute(zone: str, after: datetime, shift: int) -> None:
    begin = after + timedelta(minutes=shift)
    assert next_after(Cron("* * * * *", ZoneInfo(zone)), begin) == begin.replace(second=0) + timedelta(minutes=1)


@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 9),
    rest=st.sampled_from(["", ";BYDAY=MO,WE", ";BYMONTHDAY=1,15,31", ";BYHOUR=8,17", ";BYMONTH=2,3;BYDAY=SU;WKST=SU"]),
    anchor=MOMENTS,
    days=st.integers(-400, 4000),
)
@example(frequency="WEEKLY", interval=3, rest=";BYMONTH=2,3;BYDAY=SU;WKST=SU", anchor=CHANGES[0], days=900)
def test_calendar_rules_agree_with_dateutil_from_the_start(
    frequency: str, interval: int, rest: str, anchor: datetime, days: int
) -> None:
    """We begin near the time that is asked about; dateutil, asked plainly, begins at the anchor."""
    text, anchor = f"FREQ={frequency};INTERVAL={interval}{rest}", anchor.replace(microsecond=0)
    after = anchor + timedelta(days=days)
    plain = rrulestr(text, dtstart=anchor.replace(tzinfo=None)).after(after.replace(tzinfo=None))
    ours = next_after(Calendar(parse_rrule(text), ZoneInfo("UTC"), anchor), after)
    assert (ours and ours.replace(tzinfo=None)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hourly",
        "FREQ=HOURLY",
        "FREQ=SECONDLY",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=99999999999999",
        "FREQ=DAILY;COUNT=1;UNTIL=20270101",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;UNTIL=20270231",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;BYSECOND=1",
        "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;BYMONTHDAY=0",
        "FREQ=DAILY;BYMONTHDAY=32",
        "FREQ=DAILY;BYMONTHDAY=",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYHOUR=²",
        "FREQ=DAILY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYDAY=-60MO",
        "FREQ=YEARLY;BYMONTH=12;BYDAY=6MO",
        "FREQ=YEARLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;WKST=XX",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
        "FREQ=DAILY\nEXRULE:FREQ=DAILY",
        "FREQ=DAILY;DTSTART=20270101",
    ],
)
def test_rules_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        parse_rrule(text)


@pytest.mark.parametrize(
    "text", ["", "* * * *", "0 9 * * * *", "60 * * * *", "0 0 30 2 *", "a b c d e", "@daily", "0 9 * * 8"]
)
def test_cron_rules_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(A|Not a) cron rule"):
        check_cron(text)


@given(st.text("0123456789*/-,#LWMON ²", max_size=30))
def test_any_text_is_a_cron_rule_or_is_refused(text: str) -> None:
    try:
        rule = Cron(check_cron(text), ZoneInfo(BERLIN))
    except ValueError:
        return
    found = next_after(rule, CHANGES[0])
    assert found is None or found > CHANGES[0]


@pytest.mark.parametrize(
    "rule",
    [
        Calendar(parse_rrule(text), ZoneInfo(BERLIN), utc("2026-11-23T09:00Z"))
        for text in (
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;BYDAY=MO;BYSETPOS=5",
            "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        )
    ],
)
def test_a_rule_that_never_comes_true_is_given_up(rule: Rule) -> None:
    """dateutil alone would look on until the year 9999; what it costs is bounded by processor time, not by the wall clock."""
    before = time.process_time()
    assert next_after(rule, utc("2026-11-24T09:00Z")) is None
    assert time.process_time() - before < 2


def test_the_end_of_time() -> None:
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    for rule in (
        Cron("0 9 * * *", ZoneInfo(BERLIN)),
        Every(timedelta(days=400), last),
        Calendar(parse_rrule("FREQ=DAILY"), ZoneInfo(NEW_YORK), last),
    ):
        assert next_after(rule, last) is None


def test_moments_of_wall_times() -> None:
    zone = ZoneInfo(BERLIN)
    assert every_moment(datetime(2027, 3, 28, 2, 30), zone) == []  # noqa: DTZ001
    assert len(every_moment(datetime(2027, 10, 31, 2, 30), zone)) == 2  # noqa: DTZ001
    assert len(every_moment(datetime(2027, 7, 1, 2, 30), zone)) == 1  # noqa: DTZ001
