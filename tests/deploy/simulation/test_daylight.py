"""Weekends on which clocks change, worked out by hand: schedules, quiet hours and cron digests through the whole engine.

What each zone does is told in `tests/schedules/daylight.py`. Every scenario begins on Saturday at midnight; the expected times show the
offset that they have there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.simulation.story import Kind, Story
from tests.deploy.simulation.conftest import Run
from tests.schedules.daylight import BERLIN, KOLKATA, LORD_HOWE, NEW_YORK


@dataclass(frozen=True)
class Weekend:
    """A schedule at `cron`; quiet hours from Saturday 22:00 until `quiet`; a digest every day at nine."""

    zone: str
    midnight: str
    noon: str
    late: str
    """Saturday, 23:00."""
    cron: str
    quiet: str
    fires: tuple[str, ...]
    quiet_ends: str
    digest: str

    def __str__(self) -> str:
        return f"{self.zone} {self.midnight[:10]}"


WEEKENDS = (
    # 02:30 on Sunday does not exist: 03:00+02 is the first moment after the gap.
    Weekend(
        BERLIN, "2027-03-27T00:00:00+01:00", "2027-03-27T12:00:00+01:00", "2027-03-27T23:00:00+01:00", "30 2 * * *", "02:30",
        ("2027-03-27T02:30+01:00", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"),
        "2027-03-28T03:00+02:00", "2027-03-28T09:00+02:00",
    ),
    # It comes twice: a schedule goes by the first, quiet ends at the second.
    Weekend(
        BERLIN, "2027-10-30T00:00:00+02:00", "2027-10-30T12:00:00+02:00", "2027-10-30T23:00:00+02:00", "30 2 * * *", "02:30",
        ("2027-10-30T02:30+02:00", "2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"),
        "2027-10-31T02:30+01:00", "2027-10-31T09:00+01:00",
    ),
    Weekend(
        NEW_YORK, "2027-03-13T00:00:00-05:00", "2027-03-13T12:00:00-05:00", "2027-03-13T23:00:00-05:00", "5 2 * * *", "02:30",
        ("2027-03-13T02:05-05:00", "2027-03-14T03:00-04:00", "2027-03-15T02:05-04:00"),
        "2027-03-14T03:00-04:00", "2027-03-14T09:00-04:00",
    ),
    Weekend(
        NEW_YORK, "2027-11-06T00:00:00-04:00", "2027-11-06T12:00:00-04:00", "2027-11-06T23:00:00-04:00", "30 1 * * *", "01:30",
        ("2027-11-06T01:30-04:00", "2027-11-07T01:30-04:00", "2027-11-08T01:30-05:00"),
        "2027-11-07T01:30-05:00", "2027-11-07T09:00-05:00",
    ),
    # Half an hour only: 02:15 does not exist, 02:30+11 is the first moment after.
    Weekend(
        LORD_HOWE, "2027-10-02T00:00:00+10:30", "2027-10-02T12:00:00+10:30", "2027-10-02T23:00:00+10:30", "15 2 * * *", "02:15",
        ("2027-10-02T02:15+10:30", "2027-10-03T02:30+11:00", "2027-10-04T02:15+11:00"),
        "2027-10-03T02:30+11:00", "2027-10-03T09:00+11:00",
    ),
    # 01:45 comes twice, half an hour apart.
    Weekend(
        LORD_HOWE, "2027-04-03T00:00:00+11:00", "2027-04-03T12:00:00+11:00", "2027-04-03T23:00:00+11:00", "45 1 * * *", "01:45",
        ("2027-04-03T01:45+11:00", "2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"),
        "2027-04-04T01:45+10:30", "2027-04-04T09:00+10:30",
    ),
    Weekend(
        KOLKATA, "2027-03-27T00:00:00+05:30", "2027-03-27T12:00:00+05:30", "2027-03-27T23:00:00+05:30", "30 2 * * *", "02:30",
        ("2027-03-27T02:30+05:30", "2027-03-28T02:30+05:30", "2027-03-29T02:30+05:30"),
        "2027-03-28T02:30+05:30", "2027-03-28T09:00+05:30",
    ),
)  # fmt: skip


@pytest.mark.parametrize("weekend", WEEKENDS, ids=str)
def test_a_weekend_on_which_clocks_change(run: Run, weekend: Weekend) -> None:
    story = run(_scenario(weekend))
    assert _times(story, "punctual", "in_app") == [_utc(text) for text in weekend.fires]
    assert _times(story, "sleeper", "in_app") == [_utc(weekend.quiet_ends)]
    assert _times(story, "reader", "email") == [_utc(weekend.digest)]
    (waited,) = [entry for entry in story.entries if entry.kind is Kind.WAITS]
    assert (waited.at, waited.until, waited.code) == (_utc(weekend.late), _utc(weekend.quiet_ends), "quiet_hours")


def _scenario(weekend: Weekend) -> dict[str, Any]:
    plain = {"channels": ["in_app"], "content": {"title": "hello", "body": ""}}
    hours = {"weekly": {"saturday": [{"from": "22:00", "until": weekend.quiet}]}}
    window = {"cron": "0 9 * * *", "timezone": "recipient"}
    template = {"subject": "{{ total_items }}", "body": "b"}
    return {
        "start": weekend.midnight,
        "until": "P2DT12H",
        "project": {"timezone": weekend.zone},
        "recipients": [
            {"id": "punctual"},
            {"id": "sleeper", "timezone": weekend.zone, "preferences": {"quiet_hours": hours}},
            {"id": "reader", "timezone": weekend.zone, "email": "reader@example.com"},
        ],
        "workflows": {
            "daily": {
                "name": "Daily",
                "steps": [
                    {"key": "wait", "type": "digest", "window": window},
                    {"key": "mail", "type": "email", "template": template},
                ],
            }
        },
        "schedules": {
            "early": {
                "cron": weekend.cron,
                "timezone": weekend.zone,
                "notification": {**plain, "recipients": ["punctual"]},
            }
        },
        "events": [
            {"at": weekend.noon, "notify": {"workflow": "daily", "recipients": ["reader"]}},
            {"at": weekend.late, "notify": {**plain, "recipients": ["sleeper"]}},
        ],
    }


def _times(story: Story, recipient: str, channel: str) -> list[datetime]:
    return [entry.at for entry in story.went_out if (entry.recipient, entry.channel) == (recipient, channel)]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
