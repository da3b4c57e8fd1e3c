"""Answers that explain: what a notification would do, and why it did what it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .result import Result


class Way(Result, frozen=True, kw_only=True):
    """One channel for one recipient; `reason` says why it does not deliver."""

    channel: str
    delivers: bool
    address: str | None = None
    endpoint: str | None = None
    reason: str | None = None


class PlannedRecipient(Result, frozen=True, kw_only=True):
    """Whom, and by which ways. Who is not known would be created."""

    recipient: str
    known: bool
    ways: tuple[Way, ...]


class PlannedEntry(Result, frozen=True, kw_only=True):
    """One entry of `recipients`; of a topic the first 100 are shown."""

    entry: str | dict[str, Any]
    count: int
    recipients: tuple[PlannedRecipient, ...]


class Plan(Result, frozen=True, kw_only=True):
    """What a notification would do."""

    entries: tuple[PlannedEntry, ...]


class Decision(Result, frozen=True, kw_only=True):
    """One thing that was decided or tried: `code` for machines, `summary` for people."""

    code: str
    summary: str
    actor: str
    at: datetime | None = None
    detail: dict[str, Any] = {}


class ReasonCount(Result, frozen=True, kw_only=True):
    """How many deliveries stand where, and why."""

    channel: str
    state: str
    count: int
    summary: str
    actor: str
    reason: str | None = None


class NextAttempt(Result, frozen=True, kw_only=True):
    """When a delivery is looked at again, and why then."""

    at: datetime
    why: str
    steps: int
    summary: str
    step: int | None = None


class DeliveryExplanation(Result, frozen=True, kw_only=True):
    """One delivery with every decision and attempt so far, oldest first."""

    id: str
    recipient: str
    channel: str
    state: str
    actor: str
    used: bool
    summary: str
    decisions: tuple[Decision, ...]
    endpoint: str | None = None
    reason: str | None = None
    next_attempt: NextAttempt | None = None


class Explanation(Result, frozen=True, kw_only=True):
    """Why a notification did what it did, with one page of its deliveries in `data`."""

    id: str
    status: str
    summary: str
    decisions: tuple[Decision, ...]
    counts: tuple[ReasonCount, ...]
    plan: tuple[PlannedEntry, ...]
    data: tuple[DeliveryExplanation, ...]
    reason: str | None = None
    next: str | None = None
    previous: str | None = None
