"""The page as HTML. Everything that somebody else said is escaped here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from api.preference_page.form import EVERYTHING_ELSE, STOP, Day, Rhythm
from api.preference_page.style import STYLE
from api.preference_page.words import Words
from notifications.preferences.shapes import DAYS

_PAGE: Final = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main{small}>
{body}
</main>
</body>
</html>
"""
_WORDS: Final = re.compile(r"[._:@-]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One category with the state of each channel, in the channels' order."""

    category: str
    on: tuple[bool, ...]
    rhythm: Rhythm
    about: str = ""
    """What is in it, in the project's own words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything the page shows."""

    language: str
    words: Words
    brand: str
    channels: tuple[str, ...]
    rows: tuple[Row, ...]
    days: Sequence[Day]
    quiet_of_project: bool
    zone: str
    saved: bool = False
    wrong: bool = False


def page(language: str, title: str, body: str, *, small: bool = False) -> str:
    """A whole page; `body` is HTML, the title text."""
    return _PAGE.format(
        language=language, title=escape(title), style=STYLE, small=' class="small"' if small else "", body=body
    )


def question(language: str, title: str, hint: str, button: str) -> str:
    """A page that asks one thing, answered by its one button."""
    form = f'<form method="post"><button>{escape(button)}</button></form>'
    return page(language, title, f"<h1>{escape(title)}</h1>\n<p>{escape(hint)}</p>\n{form}", small=True)


def message(language: str, title: str, hint: str) -> str:
    """A page that only says something."""
    return page(language, title, f"<h1>{escape(title)}</h1>\n<p>{escape(hint)}</p>", small=True)


def preferences(shown: Shown) -> str:
    """The page with its form."""
    words = shown.words
    note = ""
    if shown.wrong:
        note = f'<p class="note bad" role="alert">{escape(words.wrong_hours)}</p>'
    elif shown.saved:
        note = f'<p class="note" role="status">{escape(words.saved)}</p>'
    brand = f'<p class="brand">{escape(shown.brand)}</p>' if shown.brand else ""
    body = f"""{brand}
<h1>{escape(words.title)}</h1>
{note}
<p>{escape(words.intro)} <span class="soft">{escape(words.critical)}</span></p>
<form method="post">
<h2>{escape(words.kinds)}</h2>
{"".join(_row(row, shown) for row in shown.rows)}
{_hours(shown)}
<p class="buttons"><button>{escape(words.save)}</button>
<button class="plain" name="{STOP}" value="email" title="{escape(words.stop_hint)}">{escape(words.stop)}</button></p>
</form>"""
    return page(shown.language, words.title, body)


def name_of(category: str) -> str:
    """A category's key as people read it: `order-updates` is "Order updates"."""
    said = _WORDS.sub(" ", category).strip() or category
    return said[0].upper() + said[1:]


def _row(row: Row, shown: Shown) -> str:
    words = shown.words
    others = row.category == EVERYTHING_ELSE
    name = words.others if others else name_of(row.category)
    about = words.others_hint if others else row.about
    hint = f'<p class="hint">{escape(about)}</p>' if about else ""
    switches = "".join(
        _switch("on", f"{row.category} {channel}", words.channels.get(channel, name_of(channel)), on, shows=True)
        for channel, on in zip(shown.channels, row.on, strict=True)
    )
    rhythm = "" if others else _rhythm(row, words)
    return f'<fieldset><legend>{escape(name)}</legend>{hint}<div class="switches">{switches}</div>{rhythm}</fieldset>\n'


def _switch(name: str, value: str, label: str, on: bool, *, shows: bool = False) -> str:
    checked = " checked" if on else ""
    cell = f'<input type="hidden" name="shown" value="{escape(value)}">' if shows else ""
    return (
        f'{cell}<label class="switch"><input type="checkbox" role="switch" name="{name}" value="{escape(value)}"{checked}>'
        f"<span>{escape(label)}</span></label>\n"
    )


def _rhythm(row: Row, words: Words) -> str:
    key, rhythm = escape(row.category), row.rhythm
    kinds = dict(words.cadences)
    if rhythm.kind == "own":
        kinds["own"] = f"{words.own_schedule} ({rhythm.cron})"
    label = f"{words.cadence}: {name_of(row.category)}"
    return (
        f'<div class="rhythm"><input type="hidden" name="rhythm_of" value="{key}">'
        f'<label>{escape(words.cadence)} <select name="rhythm {key}" aria-label="{escape(label)}">'
        f"{_options(kinds, rhythm.kind)}</select></label>"
        f'<label class="weekday">{escape(words.on)} <select name="weekday {key}">'
        f"{_options({str(n): day for n, day in enumerate(words.days)}, str(rhythm.weekday))}</select></label>"
        f'<label class="time">{escape(words.at)} <input type="time" name="time {key}" value="{rhythm.time}"></label></div>'
    )


def _options(choices: dict[str, str], chosen: str) -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
        for value, label in choices.items()
    )


def _hours(shown: Shown) -> str:
    words = shown.words
    hint = words.quiet_hint.format(zone=shown.zone)
    if shown.quiet_of_project:
        hint += f" {words.quiet_projects}"
    days = "".join(_day(key, label, day, words) for key, label, day in zip(DAYS, words.days, shown.days, strict=True))
    return (
        f'<h2 id="quiet">{escape(words.quiet)}</h2>\n<fieldset aria-labelledby="quiet"><input type="hidden" name="hours" value="1">'
        f'<p class="hint">{escape(hint)}</p>{days}</fieldset>'
    )


def _day(key: str, label: str, day: Day, words: Words) -> str:
    def time(name: str, said: str, value: str) -> str:
        about = escape(f"{label}: {said}")
        return f'<label>{escape(said)} <input type="time" name="{name} {key}" value="{escape(value)}" aria-label="{about}"></label>'

    further = (
        f'<span class="hint">{escape(words.also.format(spans=", ".join(day.further)))}</span>' if day.further else ""
    )
    return (
        f'<div class="day">{_switch("quiet", key, label, day.quiet)}<span class="times">'
        f"{time('from', words.start, day.start)}{time('until', words.end, day.end)}{further}</span></div>\n"
    )
