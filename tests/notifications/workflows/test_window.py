"""Rules of windows: whatever a workflow may say, the schedules can follow."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.workflows.definition import Window
from notifications.workflows.window import check_cron, check_rrule
from schedules.rrules import parse_rrule
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
    if check_rrule(rule) is None:
        parse_rrule(rule)
        assert _closes(rrule=rule) > OPENED


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=FR;BYHOUR=17;BYMINUTE=30",
        "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=8",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1;BYHOUR=7",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
    ],
)
def test_rules_that_are_taken(rule: str) -> None:
    assert check_rrule(rule) is None
    assert _closes(rrule=rule) > OPENED


@pytest.mark.parametrize(
    "rule",
    [
        "",
        ";",
        "FREQ=WEEKLY;FREQ=DAILY",
        "FREQ=WEEKLY;",
        "FREQ=DAILY,WEEKLY",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,10,20,30,40",
        "FREQ=MONTHLY;BYWEEKNO=3",
        "FREQ=DAILY;UNTIL=20270101T000000Z",
        "FREQ=DAILY\nDTSTART:20240101",
    ],
)
def test_rules_that_are_refused(rule: str) -> None:
    assert check_rrule(rule)


@pytest.mark.parametrize("cron", ["0 9 * * 1-5", "*/15 8-18 * * MON,WED", "0 9 L * *", "30 6 1 */2 *", "0 0 29 2 *"])
def test_cron_that_is_taken_can_be_followed(cron: str) -> None:
    assert check_cron(cron) is None
    assert _closes(cron=cron) > OPENED
