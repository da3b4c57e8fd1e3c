"""Answers that explain: what a notification would do, and why it did what it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .result import Result


class Way(Result, frozen=True, kw_only=True):
    """One channel for one recipient; `reason` says why it does not deliver, or not before `not_before`.

    `preference` is whose word decided; where that is `critical`, `overruled` would have forbidden it. `step` is the workflow's.
    """

    channel: str
    delivers: bool
    step: str | None = None
    address: str | None = None
    endpoint: str | None = None
    reason: str | None = None
    preference: str | None = None
    overruled: str | None = None
    not_before: datetime | None = None


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


class Decision(Result, frozen=True, kw_only=True):
    """One thing that was decided or tried: `code` for machines, `summary` for people."""

    code: str
    summary: str
    actor: str
    at: datetime | None = None
    detail: dict[str, Any] = {}


class Run(Result, frozen=True, kw_only=True):
    """One recipient's walk through a workflow, or that of a digest. Where it waits, at `step` until `next_at`."""

    id: str
    recipient: str
    state: str
    summary: str
    decisions: tuple[Decision, ...]
    reason: str | None = None
    step: str | None = None
    next_at: datetime | None = None
    digest: str | None = None


class Digest(Result, frozen=True, kw_only=True):
    """One digest that a notification joins; `state` is open, closed or left."""

    id: str
    recipient: str
    step: str
    key: str
    state: str
    count: int
    closes_at: datetime
    summary: str


class Plan(Result, frozen=True, kw_only=True):
    """What a notification would do; `runs` and `digests` are a workflow's."""

    entries: tuple[PlannedEntry, ...]
    dry_run: bool = True
    runs: tuple[Run, ...] = ()
    digests: tuple[Digest, ...] = ()


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
    runs: tuple[Run, ...] = ()
    digests: tuple[Digest, ...] = ()
    reason: str | None = None
    next: str | None = None
    previous: str | None = None
