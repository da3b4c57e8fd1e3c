"""Rules of windows: whatever a workflow may say, the schedules can follow."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.recurrence_rules import check_coming_cron
from notifications.workflows.definition import Window
from notifications.workflows.window import check_rrule
from schedules.windows import closes_at

OPENED = datetime(2026, 3, 1, 12, tzinfo=UTC)

_numbers = st.lists(st.integers(-3, 35).map(str), min_size=1, max_size=3).map(",".join)
_days = st.lists(st.sampled_from(["MO", "SU", "1MO", "-1FR", "5SA", "60MO", "XX"]), min_size=1, max_size=4).map(
    ",".join
)
_part = st.one_of(
    st.tuples(
        st.sampled_from(["INTERVAL", "BYMONTH", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "BYSETPOS", "BYWEEKNO"]), _numbers
    ),
    st.tuples(st.just("BYDAY"), _days),
    st.tuples(st.just("WKST"), st.sampled_from(["SU", "MO,TU", "X"])),
).map("=".join)
_rules = st.tuples(
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "INTERVAL=2"]),
    st.lists(_part, max_size=3),
).map(lambda rule: ";".join([rule[0], *rule[1]]))


def _closes(**rule: str) -> datetime:
    return closes_at(Window(timezone="recipient", **rule), opened_at=OPENED, latest_at=OPENED, timezone="Europe/Berlin")


@given(_rules)
def test_a_rule_that_is_taken_can_be_followed(rule: str) -> None:
    try:
        check_rrule(rule)
    except ValueError:
        return
    assert OPENED < _closes(rrule=rule) < OPENED + timedelta(days=5 * 366)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=FR;BYHOUR=17;BYMINUTE=30",
        "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=8",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1;BYHOUR=7",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "rrule:freq=weekly;byday=mo;",
    ],
)
def test_rules_that_are_taken(rule: str) -> None:
    assert check_rrule(rule) == rule
    assert _closes(rrule=rule) > OPENED


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "made of"),
        (";", "made of"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ is given twice"),
        ("FREQ=DAILY,WEEKLY", "FREQ must be one of"),
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=WEEKLY;BYDAY=1MO", "Numbered days"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS chooses"),
        ("FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,10,20,30,40", "24 times a day"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "made of"),
        ("FREQ=YEARLY;BYYEARDAY=100", "made of"),
        ("FREQ=DAILY;UNTIL=20270101T000000Z", "goes on"),
        ("FREQ=DAILY;COUNT=3", "goes on"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "every five years"),
        ("FREQ=MONTHLY;INTERVAL=999", "every five years"),
        ("FREQ=DAILY\nDTSTART:20240101", "FREQ must be one of"),
    ],
)
def test_rules_that_are_refused(rule: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_rrule(rule)


@pytest.mark.parametrize("cron", ["0 9 * * 1-5", "*/15 8-18 * * MON,WED", "0 9 L * *", "30 6 1 */2 *", "0 0 29 2 *"])
def test_cron_that_is_taken_can_be_followed(cron: str) -> None:
    assert check_coming_cron(cron) == cron
    assert _closes(cron=cron) > OPENED
