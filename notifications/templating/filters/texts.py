"""Filters on texts and lists where python-liquid's would take unbounded time or memory, or speak of HTML alone."""

import html
import json as encoding
import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

import nh3
from liquid.exceptions import FilterArgumentError
from liquid.filter import sequence_filter, string_filter, with_context

from notifications.templating.context import Context
from notifications.templating.escaping import Kind
from notifications.templating.escaping import escape as escape_as
from notifications.templating.limits import MAX_TEXT, LimitReached
from notifications.templating.plain import Marked, json_of, text_of

_LINE_END = re.compile(r"\r\n?|\n")


@string_filter
def replace(text: str, old: Any, new: Any = "") -> str:
    """Every `old` in `text` by `new`; an empty `old` replaces nothing."""
    old, new = text_of(old), text_of(new)
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise LimitReached(f"a text has more than {MAX_TEXT} characters")
    return text.replace(old, new)


@sequence_filter
def join(items: Sequence[Any], separator: Any = " ") -> str:
    """The items' texts with `separator` between them."""
    between, parts = text_of(separator), [text_of(item) for item in items]
    if sum(map(len, parts)) + len(parts) * len(between) > MAX_TEXT:
        raise LimitReached(f"a text has more than {MAX_TEXT} characters")
    return between.join(parts)


@sequence_filter
def uniq(items: Sequence[Any], key: Any = None) -> list[Any]:
    """Every item once, or the first of those whose `key` is equal."""
    if key is not None and not all(isinstance(item, dict) for item in items):
        raise FilterArgumentError("uniq by a key needs a list of objects", token=None)
    seen: dict[str, Any] = {}
    for item in items:
        seen.setdefault(_identity(item if key is None else item.get(text_of(key))), item)
    return list(seen.values())


def _identity(value: Any) -> str:
    return encoding.dumps(value, sort_keys=True, default=str)


@string_filter
def strip_newlines(text: str) -> str:
    """One line."""
    return _LINE_END.sub("", text)


@string_filter
def strip_html(text: str) -> str:
    """The text alone of what was HTML."""
    return html.unescape(nh3.clean(text, tags=set()))


@with_context
@string_filter
def newline_to_br(text: str, *, context: Context) -> str:
    """Line breaks that are seen, in HTML; Markdown keeps them anyhow."""
    if context.kind is not Kind.HTML:
        return text
    return Marked(_LINE_END.sub("<br>\n", "\n".join(context.shown(line) for line in _LINE_END.split(text))))


@with_context
@string_filter
def escape(text: str, *, context: Context) -> str:
    """What happens at the end in any case."""
    return Marked(escape_as(context.kind, text))


@string_filter
def url_encode(text: str) -> str:
    """As one part of a query."""
    return urllib.parse.quote_plus(text, errors="replace")


def json(value: Any) -> str:
    """As JSON."""
    return json_of(value)
