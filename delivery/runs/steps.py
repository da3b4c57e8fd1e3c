"""What each kind of step does to a walker that comes to it. Pure: what needs the database is put into the round."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from delivery.planning import Asked, ways_of
from delivery.routing import quiet_of
from delivery.rules import Rules
from delivery.runs.walker import Send, Walker
from notifications import texts
from notifications.preferences.deciding import cadence
from notifications.templating.compiled import render_line
from notifications.templating.errors import TemplateError
from notifications.workflows.conditions import compile_condition
from notifications.workflows.definition import (
    AnyStep,
    ChannelStep,
    ConditionStep,
    DelayStep,
    DigestStep,
    EscalateStep,
    FallbackStep,
    ThrottleStep,
    Window,
)
from schedules.digests import LONGEST_KEY
from schedules.slots import Want

AFTER_QUIET: Final = "~quiet"
"""Behind the key of a step: the digest of what came in quiet hours. No step's own key holds this sign."""
MOST_AFTER_QUIET: Final = 1000
LONGEST_DELAY: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Collection:
    """The digest that a walker's events are to join; `window` or `closes_at` says until when it is open."""

    step: str
    key: str
    max_items: int
    window: Window | None = None
    closes_at: datetime | None = None
    timezone: str = "UTC"
    """For recipients who have none."""
    first_at_once: bool = False


@dataclass(slots=True)
class Round:
    """One step of everybody in a batch."""

    now: datetime
    rules: Mapping[UUID, Rules]
    sends: list[tuple[Walker, Send]] = field(default_factory=list)
    throttled: list[tuple[Walker, Want]] = field(default_factory=list)
    collected: list[tuple[Walker, Collection]] = field(default_factory=list)
    closing: list[Walker] = field(default_factory=list)
    climbing: list[tuple[Walker, EscalateStep]] = field(default_factory=list)


def take(walker: Walker, round_: Round) -> None:
    """One step further, or to rest."""
    step = walker.step
    if step is None:
        walker.end(reason="completed")
    elif isinstance(step, ConditionStep):
        _branch(walker, step, round_)
    elif not walker.memory and not _holds(walker, step, round_):
        walker.go_on()
    else:
        _TAKE[type(step)](walker, step, round_)


def key_of(walker: Walker, source: str) -> str:
    """What a step's key comes to for this walker: one line; one that is too long is told apart by its hash."""
    said = render_line(source, walker.facts) if source else ""
    if len(said) <= LONGEST_KEY:
        return said
    return f"{said[: LONGEST_KEY - 65]}:{hashlib.sha256(said.encode()).hexdigest()}"


def _holds(walker: Walker, step: AnyStep, round_: Round) -> bool:
    condition = walker.condition
    if condition is None:
        return True
    verdict = condition.evaluate(walker.facts)
    if not verdict.holds:
        values = condition.values(walker.facts)
        walker.note("skipped", round_.now, condition=step.condition, values=values, error=verdict.error)
    return verdict.holds


def _branch(walker: Walker, step: ConditionStep, round_: Round) -> None:
    condition = compile_condition(step.condition or {})
    verdict = condition.evaluate(walker.facts)
    detail: dict[str, Any] = {
        "condition": step.condition,
        "values": condition.values(walker.facts),
        "holds": verdict.holds,
        "error": verdict.error,
    }
    goal = None if step.otherwise is None else walker.version.definition.position(step.otherwise)
    if verdict.holds:
        walker.go_on()
    elif goal is None:
        walker.note("condition", round_.now, **detail)
        walker.end(reason="condition_not_met")
    else:
        walker.note("condition", round_.now, **detail, goes_to=step.otherwise)
        walker.position, walker.memory = goal, {}


def _say(walker: Walker, step: ChannelStep, round_: Round) -> None:
    if "collects" in walker.memory:
        round_.closing.append(walker)
        return
    if not allows(walker, step.channel):
        walker.note("not_asked_for", round_.now, channel=step.channel)
    elif "after_quiet" not in walker.memory and (until := _collects_until(walker, step, round_)) is not None:
        name = f"{step.key}{AFTER_QUIET}"
        round_.collected.append((walker, Collection(name, "", MOST_AFTER_QUIET, closes_at=until)))
        return
    else:
        round_.sends.append((walker, Send(step.key, step.channel, walker.target, step.quiet_hours)))
    walker.go_on()


def _collects_until(walker: Walker, step: ChannelStep, round_: Round) -> datetime | None:
    """The end of quiet hours in which everything is collected, if it is so now."""
    rules = round_.rules[walker.project_id]
    quiet = quiet_of(step.channel, walker.target, rules, critical=walker.critical, policy=step.quiet_hours)
    return quiet.until(round_.now) if quiet is not None and quiet.policy == "digest" else None


def allows(walker: Walker, channel: str) -> bool:
    """Whether the request left this channel in."""
    return not walker.event.channels or channel in walker.event.channels


def _delay(walker: Walker, step: DelayStep, round_: Round) -> None:
    until = round_.now + timedelta(seconds=step.seconds) if step.seconds is not None else _time(walker, step, round_)
    if until is not None and until > round_.now:
        walker.note("delayed", round_.now, until=until.isoformat())
        walker.wait(until)
    walker.go_on()


def _time(walker: Walker, step: DelayStep, round_: Round) -> datetime | None:
    try:
        until = texts.parse_time(render_line(step.until or "", walker.facts)).astimezone(UTC)
    except (TemplateError, ValueError) as error:
        walker.note("no_time", round_.now, error=str(error))
        return None
    return min(until, round_.now + LONGEST_DELAY)


def _throttle(walker: Walker, step: ThrottleStep, round_: Round) -> None:
    try:
        key = key_of(walker, step.throttle_key)
    except TemplateError as error:
        walker.note("no_key", round_.now, error=str(error))
        key = ""
    round_.throttled.append(
        (
            walker,
            Want(
                key=f"throttle:{walker.version.workflow_id.hex}:{step.key}:{key}",
                project_id=walker.project_id,
                recipient_id=walker.target.recipient_id,
                limit=step.limit,
                window_seconds=step.window_seconds,
                defer=step.on_limit == "defer",
            ),
        )
    )


def _collect(walker: Walker, step: DigestStep, round_: Round) -> None:
    if "collects" in walker.memory:
        round_.closing.append(walker)
        return
    wish = cadence(
        walker.event.category, own=walker.target.preferences, defaults=round_.rules[walker.project_id].defaults
    )
    if wish is not None and wish.cron is None:
        walker.note("at_once_by_preference", round_.now)
        walker.go_on()
        return
    window = step.window if wish is None else Window(cron=wish.cron, timezone="recipient")
    try:
        key = key_of(walker, step.digest_key)
    except TemplateError as error:
        walker.note("no_key", round_.now, error=str(error))
        key = ""
    zone = round_.rules[walker.project_id].timezone
    first = step.first_at_once and wish is None and walker.digest_id is None
    round_.collected.append(
        (walker, Collection(step.key, key, step.max_items, window=window, timezone=zone, first_at_once=first))
    )


def _fall_back(walker: Walker, step: FallbackStep, round_: Round) -> None:
    """Say it on the next channel that reaches anybody, unless what was said before has arrived."""
    tried = walker.memory.get("tried", 0)
    if tried and walker.facts["steps"][step.key][step.until]:
        walker.note("reached", round_.now, until=step.until, channel=step.channels[tried - 1])
        walker.go_on()
        return
    for index in range(tried, len(step.channels)):
        channel = step.channels[index]
        if allows(walker, channel) and _reaches(walker, channel, round_):
            round_.sends.append((walker, Send(step.key, channel, walker.target)))
            walker.memory = {"tried": index + 1}
            walker.wait(round_.now + timedelta(seconds=step.wait_seconds))
            return
        walker.note("no_way", round_.now, channel=channel)
    walker.note("exhausted", round_.now, until=step.until)
    walker.go_on()


def _reaches(walker: Walker, channel: str, round_: Round) -> bool:
    asked = Asked(
        project_id=walker.project_id,
        notification_id=walker.event.id,
        target=walker.target,
        channels=[channel],
        category=walker.event.category,
        critical=walker.critical,
        expires_at=walker.expires_at,
        workflow=walker.version.key,
    )
    return any(not way.reason or way.not_before for way in ways_of(asked, round_.rules[walker.project_id]))


def _climb(walker: Walker, step: EscalateStep, round_: Round) -> None:
    """Wait, tell the next one, and so on, until somebody acknowledges. Who comes last is told again."""
    told = walker.memory.get("told")
    if any(event.acknowledged_at for event in walker.events):
        walker.note("acknowledged", round_.now, rounds=told or 0)
        walker.go_on()
    elif told is not None and told >= step.times:
        walker.note("unanswered", round_.now, rounds=told)
        walker.go_on()
    else:
        if told is not None:
            round_.climbing.append((walker, step))
        walker.memory = {"told": 0 if told is None else told + 1}
        walker.wait(round_.now + timedelta(seconds=step.every_seconds))


_TAKE: Final[dict[type[AnyStep], Callable[..., None]]] = {
    ChannelStep: _say,
    DelayStep: _delay,
    ThrottleStep: _throttle,
    DigestStep: _collect,
    FallbackStep: _fall_back,
    EscalateStep: _climb,
}
