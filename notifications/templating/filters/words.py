"""Filters for digests: who it was, and one or many.

{{ total_items }} {{ total_items | pluralize: "comment", "comments" }} by {{ actors | names: 2 }}
    3 comments by Ana, Bo and 2 others

`pluralize` takes the forms for one and for others; languages with more name them: `few: "...", many: "..."`.
`names` takes texts, or objects that have a `name`; where the list was cut short, `total` says how many there are in all.
"""

from collections.abc import Sequence
from typing import Any, Final

from babel.lists import format_list
from liquid.exceptions import FilterArgumentError
from liquid.filter import sequence_filter, with_context
from liquid.limits import to_int

from notifications.templating.context import Context
from notifications.templating.locales import locale_of
from notifications.templating.plain import text_of

_AND: Final = {"en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "nl": "en", "pt": "e"}
_OTHERS: Final = {
    "en": ("1 other", "{} others"),
    "de": ("1 weitere Person", "{} weitere Personen"),
    "fr": ("1 autre", "{} autres"),
    "es": ("1 más", "{} más"),
    "it": ("1 altra persona", "altre {} persone"),
    "nl": ("1 ander", "{} anderen"),
    "pt": ("mais 1 pessoa", "mais {} pessoas"),
}
_SOMEBODY: Final = {
    "en": "Somebody", "de": "Jemand", "fr": "Quelqu’un", "es": "Alguien", "it": "Qualcuno", "nl": "Iemand", "pt": "Alguém",
}  # fmt: skip


@with_context
@sequence_filter
def names(people: Sequence[Any], limit: Any = 2, *, total: Any = None, context: Context) -> str:
    """At most `limit` names, and how many others there are."""
    shown, language = max(_count(limit), 1), locale_of(context.given.locale).language
    known = dict.fromkeys(name for name in map(_name, people) if name)
    there_are = max(_count(total), len(known)) if total is not None else len(known)
    said = list(known)[:shown]
    others = there_are - len(said)
    if not said:
        return _SOMEBODY.get(language, _SOMEBODY["en"])
    if others > 0:
        one, many = _OTHERS.get(language, ("+1", "+{}"))
        said.append(one if others == 1 else many.format(others))
    return _enumerated(said, language)


def _enumerated(said: list[str], language: str) -> str:
    if len(said) == 1:
        return said[0]
    if language not in _AND:
        return format_list(said, locale=locale_of(language))
    word = "e" if language == "es" and said[-1].lower().startswith(("i", "hi")) else _AND[language]
    return f"{', '.join(said[:-1])} {word} {said[-1]}"


@with_context
def pluralize(count: Any, one: Any, other: Any = None, *, context: Context, **forms: Any) -> str:
    """The form that goes with `count` in the recipient's language."""
    given = {"one": one, "other": one if other is None else other, **forms}
    if unknown := given.keys() - {"zero", "one", "two", "few", "many", "other"}:
        raise FilterArgumentError(f"pluralize knows no form {min(unknown)}", token=None)
    number = count if isinstance(count, int | float) and not isinstance(count, bool) else _count(count)
    form = "zero" if number == 0 and "zero" in given else locale_of(context.given.locale).plural_form(abs(number))
    return text_of(given.get(form, given["other"]))


def _name(person: Any) -> str:
    if isinstance(person, dict):
        person = person.get("name") or person.get("id")
    return " ".join(text_of(person).split()) if isinstance(person, str | int | float) else ""


def _count(value: Any) -> int:
    if isinstance(value, list | tuple):
        return len(value)
    try:
        return min(max(to_int(value), 0), 10**9)
    except (ValueError, TypeError, OverflowError):
        return 0
