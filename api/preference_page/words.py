"""What the page of somebody's preferences says, in the languages it speaks."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language."""

    title: str
    intro: str
    critical: str
    kinds: str
    others: str
    others_hint: str
    cadence: str
    cadences: Mapping[str, str]
    own_schedule: str
    at: str
    on: str
    quiet: str
    quiet_hint: str
    quiet_projects: str
    also: str
    start: str
    end: str
    days: tuple[str, ...]
    save: str
    stop: str
    stop_hint: str
    saved: str
    wrong_hours: str
    gone: str
    gone_hint: str
    later: str
    later_hint: str
    channels: Mapping[str, str]
    unsubscribe_title: str
    unsubscribe_hint: str
    unsubscribe: str
    unsubscribed: str
    unsubscribed_hint: str
    choose: str
