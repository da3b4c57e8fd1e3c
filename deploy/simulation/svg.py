"""A story as a picture: one lane per recipient and channel, quiet hours shaded, digests as bars, what waited as a line. Pure.

Follows the reader's light or dark scheme; every mark tells its story when it is pointed at.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from deploy.simulation.lanes import ASKED, Group, Lane, Mark, Scale, groups_of, marks_of
from deploy.simulation.story import Batch, Entry, Kind, Story

_WIDTH: Final = 1280
_LEFT: Final = 196
_RIGHT: Final = 28
_TOP: Final = 84
_LANE: Final = 30
_GAP: Final = 16
_LEGEND: Final = 44
_LETTER: Final = 6.3
_SHORTEST_LABEL: Final = 5
_LONGEST_LABEL: Final = 46
_HOURLY: Final = timedelta(days=3)
_DAILY: Final = timedelta(days=16)
_STYLE: Final = """
  svg{--back:#fff;--text:#1d2433;--faint:#667085;--line:#e3e7ee;--lane:#f6f7fa;--quiet:#dfe3f1;--out:#1a7f5a;--not:#c2410c;
    --asked:#4457c0;--bar:#b9c4ee;--wait:#8a6d1f;background:var(--back);font:12px system-ui,sans-serif}
  @media (prefers-color-scheme:dark){svg{--back:#141821;--text:#e7eaf1;--faint:#98a2b3;--line:#2b3240;--lane:#1b202b;--quiet:#29304a;
    --out:#4cc38a;--not:#ff9b6a;--asked:#9db1ff;--bar:#3f4d8a;--wait:#e2c46a}}
  text{fill:var(--text)} .faint{fill:var(--faint)} .name{font-weight:600} .small{font-size:11px} h1,.title{font-size:17px;font-weight:600}
  .grid{stroke:var(--line)} .lane{fill:var(--lane)} .quiet{fill:var(--quiet)} .bar{fill:var(--bar)} .tick{stroke:var(--asked);stroke-width:1.5}
  .out{fill:var(--out)} .asked{fill:var(--asked)} .not{stroke:var(--not);stroke-width:2.2;fill:none}
  .open{fill:var(--back);stroke:var(--wait);stroke-width:2} .wait{stroke:var(--wait);stroke-width:1.4;fill:none}
  .count{fill:var(--back);font-size:9px;font-weight:700;text-anchor:middle}"""


def as_svg(story: Story) -> str:
    """The picture as one document."""
    groups = groups_of(story)
    scale = Scale(story.start, story.until, _LEFT, _WIDTH - _LEFT - _RIGHT)
    bottom = _TOP + sum(len(group.lanes) * _LANE + _GAP for group in groups)
    height = bottom + _LEGEND
    zone = ZoneInfo(story.timezone)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img"'
        f' aria-label="{_quoted(story.name or "Simulation")}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="20" y="30">{escape(story.name or "Simulation")}</text>',
        f'<text class="faint" x="20" y="50">{escape(_span(story, zone))}</text>',
    ]
    y = float(_TOP)
    for group in groups:
        parts += _group(group, story, scale, y)
        y += len(group.lanes) * _LANE + _GAP
    parts += _axis(story, scale, zone, bottom - _GAP + 4)
    y = float(_TOP)
    for group in groups:
        for lane in group.lanes:
            parts += _content(lane, story, scale, y + _LANE / 2)
            y += _LANE
        y += _GAP
    parts += [*_legend(bottom + 16), "</svg>", ""]
    return "\n".join(parts)


def _span(story: Story, zone: ZoneInfo) -> str:
    start, until = story.start.astimezone(zone), story.until.astimezone(zone)
    day = "%a %d %b %Y %H:%M"
    return f"{start:{day}} to {until:{day}}, times of {story.timezone}. {len(story.went_out)} deliveries went out."


def _group(group: Group, story: Story, scale: Scale, y: float) -> Iterator[str]:
    height = len(group.lanes) * _LANE
    for index in range(len(group.lanes)):
        top = y + index * _LANE
        yield f'<rect class="lane" x="{_LEFT}" y="{top + 1:.0f}" width="{scale.width:.0f}" height="{_LANE - 2}" rx="3"/>'
    if group.recipient is None:
        yield f'<text class="name" x="20" y="{y + 19:.0f}">asked for</text>'
        return
    for start, end in story.quiet.get(group.recipient, ()):
        x, width = scale.x(start), scale.x(end) - scale.x(start)
        yield f'<rect class="quiet" x="{x:.1f}" y="{y:.0f}" width="{width:.1f}" height="{height}"><title>quiet hours</title></rect>'
    zone = story.zones[group.recipient]
    yield f'<text class="name" x="20" y="{y + 19:.0f}">{escape(_cut(group.recipient, 13))}</text>'
    if len(group.lanes) > 1 and zone != story.timezone:
        yield f'<text class="faint small" x="20" y="{y + 34:.0f}">{escape(_cut(zone.rpartition("/")[2].replace("_", " "), 15))}</text>'
    for index, lane in enumerate(group.lanes):
        yield f'<text class="faint" x="{_LEFT - 10}" y="{y + index * _LANE + 19:.0f}" text-anchor="end">{escape(_cut(lane.name, 14))}</text>'


def _axis(story: Story, scale: Scale, zone: ZoneInfo, bottom: float) -> Iterator[str]:
    """Lines at midnight (or every so many hours) of the project's clock."""
    for moment, label, strong in _ticks(story, zone):
        x = scale.x(moment)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - (12 if strong else 6)}" y2="{bottom:.0f}"/>'
        if label and x < _WIDTH - 60:
            yield f'<text class="faint small" x="{x + 4:.1f}" y="{_TOP - 6}">{escape(label)}</text>'


def _ticks(story: Story, zone: ZoneInfo) -> Iterator[tuple[datetime, str, bool]]:
    length = story.until - story.start
    hours = 24 if length > _HOURLY else 12 if length > timedelta(days=2) else 6 if length > timedelta(days=1) else 3
    day = story.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    number = 0
    while day <= story.until:
        for hour in range(0, 24, hours):
            moment = day.replace(hour=hour)
            if story.start <= moment <= story.until:
                named = length <= _DAILY or (number % (7 if length < timedelta(days=120) else 28) == 0)
                said = f"{day:%a} {day.day} {day:%b}" if hour == 0 else f"{hour:02}:00"
                yield moment, said if named else "", hour == 0
        day = (day + timedelta(days=1)).replace(hour=0)
        number += 1


def _content(lane: Lane, story: Story, scale: Scale, y: float) -> Iterator[str]:
    for batch in lane.batches:
        yield _bar(batch, story, scale, y)
    for entry in lane.entries:
        if entry.since is not None or entry.kind is Kind.OPEN:
            yield from _waiting(entry, story, scale, y)
    marks = list(marks_of(lane.entries, scale))
    for index, mark in enumerate(marks):
        room = (marks[index + 1].x if index + 1 < len(marks) else _WIDTH - _RIGHT) - mark.x - 20
        yield from _mark(mark, story, y, room, titled=lane.name != ASKED)


def _bar(batch: Batch, story: Story, scale: Scale, y: float) -> str:
    x, end = scale.x(batch.opened), scale.x(batch.closed or story.until)
    said = (
        f"digest {batch.step} {batch.key!r}, {len(batch.joined)} in it"
        if batch.key
        else f"digest {batch.step}, {len(batch.joined)}"
    )
    ticks = "".join(
        f'<line class="tick" x1="{scale.x(at):.1f}" x2="{scale.x(at):.1f}" y1="{y - 7:.1f}" y2="{y + 7:.1f}"/>'
        for at in batch.joined
    )
    width = max(end - x, 3)
    return f'<g><title>{escape(said)}</title><rect class="bar" x="{x:.1f}" y="{y - 5:.1f}" width="{width:.1f}" height="10" rx="3"/>{ticks}</g>'


def _waiting(entry: Entry, story: Story, scale: Scale, y: float) -> Iterator[str]:
    """From when it was put off until it ended; to the edge where it has not."""
    since = entry.since or entry.at
    for other in story.entries:
        if entry.kind is Kind.OPEN and other.kind is Kind.WAITS and _same(entry, other):
            since = other.at
    x, end, low = scale.x(since), scale.x(entry.at), y + 10  # below the words
    yield f'<path class="wait" d="M{x:.1f} {low - 4:.1f}v4H{end:.1f}v-6"/>'


def _same(one: Entry, other: Entry) -> bool:
    return (one.recipient, one.channel, one.step, one.notifications) == (
        other.recipient,
        other.channel,
        other.step,
        other.notifications,
    )


def _mark(mark: Mark, story: Story, y: float, room: float, *, titled: bool) -> Iterator[str]:
    told = f"<title>{escape(chr(10).join(_told(entry, story) for entry in mark.entries[:12]))}</title>"
    x, many = mark.x, len(mark.entries)
    if mark.look == "not":
        yield f'<g>{told}<path class="not" d="M{x - 4.5:.1f} {y - 4.5:.1f}l9 9m0-9l-9 9"/></g>'
    elif mark.look == "open":
        yield f'<g>{told}<circle class="open" cx="{x:.1f}" cy="{y:.1f}" r="5"/></g>'
    else:
        count = f'<text class="count" x="{x:.1f}" y="{y + 3.2:.1f}">{many}</text>' if many > 1 else ""
        radius = (7.5 if many < 100 else 10) if many > 1 else 5
        yield f'<g>{told}<circle class="{mark.look}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>{count}</g>'
    label = _label(mark.entries, titled=titled)
    letters = min(int(room / _LETTER), _LONGEST_LABEL)
    if label and letters >= min(_SHORTEST_LABEL, len(label)):
        yield f'<text class="small" x="{x + 11:.1f}" y="{y + 4:.1f}">{escape(_cut(label, letters))}</text>'


def _label(entries: Sequence[Entry], *, titled: bool) -> str:
    entry = entries[0]
    if not titled:
        names = list(dict.fromkeys(each.says for each in entries))
        return ", ".join(names)
    return (entry.title or entry.code).replace("_", " ") if entry.title is None else entry.title


def _told(entry: Entry, story: Story) -> str:
    zone = story.zones.get(entry.recipient or "", story.timezone)
    local = entry.at.astimezone(ZoneInfo(zone))
    title = f' "{entry.title}"' if entry.title else ""
    why = f" ({'; '.join(entry.why)})" if entry.why else ""
    return f"{local:%a %H:%M} {entry.channel or ''} {entry.says}{title} [{' '.join(entry.notifications[:6])}]{why}"


def _legend(y: float) -> Iterator[str]:
    signs = (
        ('<circle class="asked" cx="{x}" cy="{y}" r="5"/>', "asked for"),
        ('<circle class="out" cx="{x}" cy="{y}" r="5"/>', "went out"),
        ('<path class="not" d="M{l} {t}l9 9m0-9l-9 9"/>', "did not"),
        ('<path class="wait" d="M{l} {t}v8h19v-8"/>', "was put off"),
        ('<circle class="open" cx="{x}" cy="{y}" r="5"/>', "still to come"),
        ('<rect class="bar" x="{l}" y="{t}" width="18" height="10" rx="3"/>', "digest open"),
        ('<rect class="quiet" x="{l}" y="{t}" width="18" height="10"/>', "quiet hours"),
    )
    for number, (sign, name) in enumerate(signs):
        x = _LEFT + 10 + number * 140
        yield sign.format(x=x, y=y, l=x - 5, t=y - 5)
        yield f'<text class="small" x="{x + 20}" y="{y + 4:.0f}">{name}</text>'


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: max(letters - 1, 1)].rstrip()}…"


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})
