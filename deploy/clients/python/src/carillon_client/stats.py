"""`/v1/stats`: how much was sent, and how it went."""

from __future__ import annotations

from datetime import datetime

from .operations import DriverT, Resource, operation
from .requests import Request, get, path
from .result import Result


class ChannelStats(Result, frozen=True, kw_only=True):
    """One channel's deliveries; seconds are from routing to the end."""

    channel: str
    count: int
    states: dict[str, int]
    reasons: dict[str, int]
    attempts: int
    p50_seconds: float | None = None
    p95_seconds: float | None = None


class Statistics(Result, frozen=True, kw_only=True):
    """What was made in a time; notifications by status."""

    since: datetime
    until: datetime
    notifications: dict[str, int]
    deliveries: tuple[ChannelStats, ...]


class Stats(Resource[DriverT]):
    """Numbers."""

    @operation
    def get(self, *, since: datetime | str | None = None, until: datetime | str | None = None) -> Request[Statistics]:
        """Of the last day, or of at most 31 days."""
        return get(path("stats"), Statistics, since=since, until=until)
