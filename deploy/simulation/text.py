"""A story as text: day by day in the project's time zone, who hears what when, over which channel, and why. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from deploy.simulation.story import Entry, Kind, Story

_INDENT: Final = " " * 12
_MOST_NAMED: Final = 4


def as_text(story: Story) -> str:
    """Everything, one line per entry with its reasons below, and at the end who got how much."""
    zone = ZoneInfo(story.timezone)
    who = max([len(name) for name in story.zones], default=0)
    lines = [_headline(story, zone)]
    day = None
    for entry in story.entries:
        local = entry.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            lines += ["", f"{local:%a} {local.day} {local:%b %Y}"]
        lines += _lines(entry, story, zone, min(who, 24))
    return "\n".join([*lines, "", *_summary(story), ""])


def _headline(story: Story, zone: ZoneInfo) -> str:
    name = f"{story.name}: " if story.name else ""
    return f"{name}{_long(story.start, zone)} to {_long(story.until, zone)} ({story.timezone})"


def _lines(entry: Entry, story: Story, zone: ZoneInfo, who: int) -> Iterator[str]:
    local = entry.at.astimezone(zone)
    time = f"{local:%H:%M:%S}{_fold(local)}"
    about = f" [{_named(entry)}]" if entry.notifications else ""
    # What changes nothing for the recipient stands back.
    mark = {Kind.ENDED: ">", Kind.ASKED: "*", Kind.DONE: "*"}.get(entry.kind, " ")
    whom = f"{entry.recipient or '':<{who}}"
    yield f"  {time} {mark} {whom}  {_said(entry, story, zone)}{about}".rstrip()
    if entry.why:
        yield f"{_INDENT}{' ' * who}    {'; '.join(reason.rstrip('.') for reason in entry.why)}"


def _named(entry: Entry) -> str:
    names, more = entry.notifications[:_MOST_NAMED], len(entry.notifications) - _MOST_NAMED
    return " ".join(names) + (f" and {more} more" if more > 0 else "")


def _said(entry: Entry, story: Story, zone: ZoneInfo) -> str:
    until = f" until {_until(entry.until, entry.at, zone)}" if entry.until else ""
    match entry.kind:
        case Kind.ASKED:
            return f"{entry.says}{' by its schedule' if entry.code == 'schedule' else ''}{_send_at(entry, zone)}"
        case Kind.ENDED:
            title = f' "{entry.title}"' if entry.title is not None else f" ({entry.code})"
            since = f", waited since {_until(entry.since, entry.at, zone)}" if entry.since else ""
            return f"{entry.channel} {entry.says}{title}{_own_time(entry, story)}{since}"
        case Kind.WAITS:
            return f"{entry.channel} waits{until}"
        case Kind.STEP:
            return f"{entry.step or 'end'}: {entry.says}{until}"
        case Kind.OPEN:
            what = f"{entry.channel} " if entry.channel else ""
            return f"still to come: {what}{entry.says}{until}"
        case _:
            return f"{entry.says}{', open' if entry.until else ''}{until}"


def _send_at(entry: Entry, zone: ZoneInfo) -> str:
    return f", not before {_until(entry.until, entry.at, zone)}" if entry.until else ""


def _own_time(entry: Entry, story: Story) -> str:
    """The recipient's own clock, where it is another one."""
    zone = story.zones.get(entry.recipient or "", story.timezone)
    if zone == story.timezone:
        return ""
    local = entry.at.astimezone(ZoneInfo(zone))
    return f" ({local:%a %H:%M}{_fold(local)} {zone})"


def _until(moment: datetime | None, seen_from: datetime, zone: ZoneInfo) -> str:
    assert moment is not None
    local = moment.astimezone(zone)
    time = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    if local.date() == seen_from.astimezone(zone).date():
        return f"{time}{_fold(local)}"
    return f"{local:%a} {local.day} {local:%b} {time}{_fold(local)}"


def _fold(local: datetime) -> str:
    """A mark where the clock shows this time twice and it is the second."""
    return " (2nd)" if local.fold else ""


def _long(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"


def _summary(story: Story) -> Iterator[str]:
    """How many reached whom over what, and what became of the others."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in story.entries:
        if entry.recipient and entry.channel and entry.kind in (Kind.ENDED, Kind.OPEN):
            counts[entry.recipient, entry.channel][entry.says if entry.kind is Kind.ENDED else "to come"] += 1
    asked = sum(entry.kind is Kind.ASKED for entry in story.entries)
    yield f"{_count(asked, 'notification')}, {_count(len(story.went_out), 'delivery', 'deliveries')} went out"
    for (recipient, channel), states in sorted(counts.items()):
        said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        yield f"  {recipient} {channel}: {said}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
