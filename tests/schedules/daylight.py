"""Weeks in which clocks change, worked out by hand from the zones' own laws. Each expected time shows the offset it has there.

Berlin           28 March 2027 02:00+01 becomes 03:00+02; 31 October 2027 03:00+02 becomes 02:00+01
New York         14 March 2027 02:00-05 becomes 03:00-04; 7 November 2027 02:00-04 becomes 01:00-05
Lord Howe        4 April 2027 02:00+11 becomes 01:30+10:30; 3 October 2027 02:00+10:30 becomes 02:30+11 (half an hour)
Kolkata          always +05:30
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

BERLIN: Final = "Europe/Berlin"
NEW_YORK: Final = "America/New_York"
LORD_HOWE: Final = "Australia/Lord_Howe"
KOLKATA: Final = "Asia/Kolkata"


@dataclass(frozen=True)
class Week:
    """A cron rule, and the next times it names after `after`."""

    zone: str
    cron: str
    after: str
    times: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.zone} {self.cron} after {self.after}"


def utc(text: str) -> datetime:
    """An RFC 3339 time as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


GAPS: Final = (
    # 02:30 does not exist on the 28th: the first moment after the gap is 03:00+02 = 01:00Z.
    Week(
        BERLIN,
        "30 2 * * *",
        "2027-03-26T12:00+01:00",
        ("2027-03-27T02:30+01:00", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"),
    ),
    # Nine o'clock stays nine o'clock: 08:00Z before, 07:00Z after.
    Week(
        BERLIN,
        "0 9 * * 1-6",
        "2027-03-26T12:00+01:00",
        ("2027-03-27T09:00+01:00", "2027-03-29T09:00+02:00", "2027-03-30T09:00+02:00"),
    ),
    # 02:00, 02:20 and 02:40 fall into the gap and meet 03:00: one time, not four.
    Week(
        BERLIN,
        "*/20 1-3 * * *",
        "2027-03-28T01:30+01:00",
        ("2027-03-28T01:40+01:00", "2027-03-28T03:00+02:00", "2027-03-28T03:20+02:00", "2027-03-28T03:40+02:00"),
    ),
    # Every hour at :15 : 01:15 and 03:15 are one hour apart.
    Week(
        BERLIN,
        "15 * * * *",
        "2027-03-28T00:30+01:00",
        ("2027-03-28T01:15+01:00", "2027-03-28T03:15+02:00", "2027-03-28T04:15+02:00"),
    ),
    Week(
        NEW_YORK,
        "5 2 * * *",
        "2027-03-13T00:00-05:00",
        ("2027-03-13T02:05-05:00", "2027-03-14T03:00-04:00", "2027-03-15T02:05-04:00"),
    ),
    Week(
        NEW_YORK,
        "0 8 * * 0,1",
        "2027-03-08T12:00-05:00",
        ("2027-03-14T08:00-04:00", "2027-03-15T08:00-04:00", "2027-03-21T08:00-04:00"),
    ),
    # The gap is half an hour: 02:15 does not exist, 02:30+11 is the first moment after it; 02:45 exists.
    Week(
        LORD_HOWE,
        "15 2 * * *",
        "2027-10-02T00:00+10:30",
        ("2027-10-02T02:15+10:30", "2027-10-03T02:30+11:00", "2027-10-04T02:15+11:00"),
    ),
    Week(
        LORD_HOWE,
        "45 2 * * *",
        "2027-10-02T00:00+10:30",
        ("2027-10-02T02:45+10:30", "2027-10-03T02:45+11:00", "2027-10-04T02:45+11:00"),
    ),
    # Every half hour: 01:30+10:30 = 15:00Z, 02:30+11 = 15:30Z, 03:00+11 = 16:00Z.
    Week(
        LORD_HOWE,
        "*/30 * * * *",
        "2027-10-03T01:10+10:30",
        ("2027-10-03T01:30+10:30", "2027-10-03T02:30+11:00", "2027-10-03T03:00+11:00"),
    ),
    Week(
        KOLKATA,
        "30 2 * * *",
        "2027-03-27T00:00+05:30",
        ("2027-03-27T02:30+05:30", "2027-03-28T02:30+05:30", "2027-03-29T02:30+05:30"),
    ),
)

OVERLAPS: Final = (
    # 02:30 comes twice on the 31st: the first, in summer time, counts.
    Week(
        BERLIN,
        "30 2 * * *",
        "2027-10-30T00:00+02:00",
        ("2027-10-30T02:30+02:00", "2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"),
    ),
    # Asked between the two: it is over for that day.
    Week(BERLIN, "30 2 * * *", "2027-10-31T02:45+02:00", ("2027-11-01T02:30+01:00",)),
    Week(BERLIN, "30 2 * * *", "2027-10-31T02:10+01:00", ("2027-11-01T02:30+01:00",)),
    # Named hours: nothing during the second 02:00 to 03:00, then on.
    Week(
        BERLIN,
        "*/30 1-3 * * *",
        "2027-10-31T01:40+02:00",
        ("2027-10-31T02:00+02:00", "2027-10-31T02:30+02:00", "2027-10-31T03:00+01:00"),
    ),
    # Every hour: both, without a pause.
    Week(
        BERLIN,
        "*/30 * * * *",
        "2027-10-31T02:10+02:00",
        (
            "2027-10-31T02:30+02:00",
            "2027-10-31T02:00+01:00",
            "2027-10-31T02:30+01:00",
            "2027-10-31T03:00+01:00",
        ),
    ),
    Week(
        NEW_YORK,
        "30 1 * * *",
        "2027-11-06T00:00-04:00",
        ("2027-11-06T01:30-04:00", "2027-11-07T01:30-04:00", "2027-11-08T01:30-05:00"),
    ),
    Week(
        NEW_YORK,
        "0 * * * *",
        "2027-11-07T00:30-04:00",
        ("2027-11-07T01:00-04:00", "2027-11-07T01:00-05:00", "2027-11-07T02:00-05:00"),
    ),
    # 01:30 to 02:00 comes twice: 01:45 is 14:45Z and again 15:15Z; the first counts.
    Week(
        LORD_HOWE,
        "45 1 * * *",
        "2027-04-03T00:00+11:00",
        ("2027-04-03T01:45+11:00", "2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"),
    ),
    # Every hour at :40 the wall clock shows it twice, half an hour apart.
    Week(
        LORD_HOWE,
        "40 * * * *",
        "2027-04-04T01:00+11:00",
        ("2027-04-04T01:40+11:00", "2027-04-04T01:40+10:30", "2027-04-04T02:40+10:30"),
    ),
    # Two o'clock comes once (the clocks go back when it would be reached).
    Week(
        LORD_HOWE,
        "0 2 * * *",
        "2027-04-03T12:00+11:00",
        ("2027-04-04T02:00+10:30", "2027-04-05T02:00+10:30"),
    ),
    Week(
        KOLKATA,
        "0 9 * * 1",
        "2027-10-30T00:00+05:30",
        ("2027-11-01T09:00+05:30", "2027-11-08T09:00+05:30"),
    ),
)

WEEKS: Final = (*GAPS, *OVERLAPS)
