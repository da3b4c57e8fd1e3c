"""`/v1/schedules`: submissions that are made at their times."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TypedDict

from .inputs import Submission
from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, patch, path, post, put
from .result import Page, Result

if sys.version_info >= (3, 11):
    from typing import Required, Unpack
else:
    from typing_extensions import Required, Unpack


class ScheduleChanges(TypedDict, total=False):
    """When, by one of `cron`, `at`, `every` (ISO 8601) and `rrule`; and what. None takes a rule away."""

    cron: str | None
    at: datetime | str | None
    every: str | None
    rrule: str | None
    timezone: str
    start: datetime | str | None
    end: datetime | str | None
    catch_up: str
    paused: bool
    notification: Submission


class ScheduleInput(ScheduleChanges, total=False):
    """A whole schedule."""

    notification: Required[Submission]  # type: ignore[misc]  # narrower than before: it has to be given


class Schedule(Result, frozen=True, kw_only=True):
    """A submission and its times; without `next_at` it is paused, or over."""

    key: str
    timezone: str
    catch_up: str
    paused: bool
    notification: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    cron: str | None = None
    at: datetime | None = None
    every: str | None = None
    rrule: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    next_at: datetime | None = None
    pause_reason: str | None = None


class Upcoming(Result, frozen=True, kw_only=True):
    """A time to come."""

    occurrence: datetime


class ScheduleRun(Result, frozen=True, kw_only=True):
    """What became of one time."""

    occurrence: datetime
    outcome: str
    created_at: datetime
    reason: str = ""
    notification_id: str | None = None
    passed_over_since: datetime | None = None


class Occurrences(Result, frozen=True, kw_only=True):
    """The next times, soonest first, and the last ones, latest first."""

    upcoming: tuple[Upcoming, ...]
    past: tuple[ScheduleRun, ...]


class Schedules(Resource[DriverT]):
    """Recurring and future submissions, by your own keys."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Schedule]]:
        """All schedules, newest first."""
        return get(path("schedules"), Page[Schedule], limit=page_size, after=after)

    @operation
    def get(self, key: str) -> Request[Schedule]:
        """One schedule."""
        return get(path("schedules", key), Schedule)

    @operation
    def put(self, key: str, **schedule: Unpack[ScheduleInput]) -> Request[Schedule]:
        """Create or replace a schedule."""
        return put(path("schedules", key), schedule, Schedule)

    @operation
    def patch(self, key: str, **changes: Unpack[ScheduleChanges]) -> Request[Schedule]:
        """Change a schedule, for instance pause it; what is left out stays."""
        return patch(path("schedules", key), changes, Schedule)

    @operation
    def delete(self, key: str) -> Request[None]:
        """Remove a schedule; what it has sent stays."""
        return delete(path("schedules", key))

    @operation
    def occurrences(self, key: str, *, limit: int | None = None) -> Request[Occurrences]:
        """The next times, and what became of the last ones."""
        return get(path("schedules", key, "occurrences"), Occurrences, limit=limit)

    @operation
    def run_now(self, key: str, *, idempotency_key: str | None = None) -> Request[Schedule]:
        """Make the submission once more, at once."""
        return post(path("schedules", key, "run-now"), None, Schedule, idempotency_key)
