"""A template and the facts about one recipient become what is said on one channel. Pure, but for the time of day.

`render_content` is what delivery calls; previews call `render_preview`, which also tells what was undefined.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from notifications import texts
from notifications.templating.branding import LAYOUTS
from notifications.templating.compiled import Compiled, compile_fields
from notifications.templating.errors import TemplateError
from notifications.templating.fields import ANY_LOCALE
from notifications.templating.library import BUILT_IN_LAYOUT, EMPTY, Library
from notifications.templating.limits import Meter
from notifications.templating.locales import fallbacks
from notifications.templating.markdown import body_html
from notifications.templating.plain import Marked
from notifications.templating.selection import for_channel, for_locale

_MAX_TITLE: Final = 1000
_SPACE: Final = re.compile(r"[ \t\r\n\f\v]+")  # without those that keep a number and its unit together


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedContent:
    """What a transport's Content is made of. `body` is Markdown; `html`, where there is any, is not sanitised yet and goes before
    `body`, which is then empty or what `html` was made from."""

    title: str
    body: str
    action_url: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be said, in which variant's locale, and which variables were shown though they are undefined."""

    content: RenderedContent
    locale: str
    undefined: tuple[str, ...]


def render_content(
    template: Mapping[str, Any] | str,
    *,
    channel: str,
    context: Mapping[str, Any],
    locale: str | None,
    timezone: str | None,
    default_locale: str = "en",
    library: Library = EMPTY,
) -> RenderedContent:
    """`template` is one variant's fields, `{"locales": {...}}` of them, or the key of a stored one. Raises `TemplateError`."""
    return render_preview(
        template,
        channel=channel,
        context=context,
        locale=locale,
        timezone=timezone,
        default_locale=default_locale,
        library=library,
    ).content


def render_preview(
    template: Mapping[str, Any] | str,
    *,
    channel: str,
    context: Mapping[str, Any],
    locale: str | None,
    timezone: str | None,
    default_locale: str = "en",
    library: Library = EMPTY,
) -> Preview:
    """As `render_content`, with what an author wants to know."""
    found, fields = _variant(template, channel, locale, default_locale, library)
    # Words of filters are in the text's own language: a recipient's wish for French changes no date in an English text.
    spoken = _spoken(found, locale, default_locale)
    partials = library.partials_in(locale, default_locale)
    compiled = compile_fields(fields, partials=partials)
    zone, meter = timezone or "UTC", Meter()
    said = compiled.render(context, locale=spoken, timezone=zone, meter=meter)
    title = _SPACE.sub(" ", said.get("subject") or said.get("title") or "").strip()[:_MAX_TITLE]
    content = RenderedContent(
        title=title,
        body=said.get("body", "").strip("\n"),
        action_url=_url(said.get("action_url")),
        html=said.get("html"),
    )
    if key := fields.get("layout"):
        html = _in_layout(key, library, (locale, default_locale), spoken).render(
            {
                **context,
                "title": said.get("title") or title,
                "subject": title,
                "action_url": content.action_url,
                "content": Marked(content.html if content.html is not None else body_html(content.body)),
            },
            locale=spoken,
            timezone=zone,
            meter=meter,
        )["html"]
        content = RenderedContent(title=title, body=content.body, action_url=content.action_url, html=html)
    return Preview(content=content, locale=found, undefined=tuple(meter.undefined))


def _variant(
    template: Mapping[str, Any] | str, channel: str, locale: str | None, default_locale: str, library: Library
) -> tuple[str, Mapping[str, Any]]:
    if isinstance(template, str):
        variants = library.templates.get(template)
        if variants is None:
            raise TemplateError("", f"There is no template {template!r}.")
        locales = for_channel(variants, channel)
        if locales is None:
            raise TemplateError("", f"The template {template!r} says nothing for {channel}.")
    else:
        locales = template.get("locales", {ANY_LOCALE: template})
    found = for_locale(locales, locale, default_locale)
    if found is None:
        raise TemplateError("", f"The template has no text for {locale or default_locale}, and no default.")
    return found


def _spoken(found: str, locale: str | None, default_locale: str) -> str:
    """The locale for dates and words: the recipient's, where it is of the text's language."""
    wanted = fallbacks(locale or default_locale)[0]
    own = default_locale if found == ANY_LOCALE else found
    return wanted if wanted.partition("-")[0] == own.partition("-")[0] else fallbacks(own)[0]


def _in_layout(key: str, library: Library, locales: tuple[str | None, str], spoken: str) -> Compiled:
    variants: Mapping[str, Mapping[str, str]] | None = library.layouts.get(key)
    partials = library.partials_in(*locales)
    if variants is None and key == BUILT_IN_LAYOUT:
        variants, locales = LAYOUTS, (spoken, spoken)
    found = None if variants is None else for_locale(variants, *locales)
    if found is None:
        raise TemplateError("/layout", f"There is no layout {key!r}.")
    return compile_fields({"html": found[1]["html"]}, partials=partials)


def _url(said: str | None) -> str | None:
    said = (said or "").strip()
    if not said:
        return None
    try:
        return texts.check_url(said)
    except ValueError as error:
        raise TemplateError("/action_url", str(error)) from None
