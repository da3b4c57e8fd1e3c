"""What the tests of the template engine share: one text rendered as a field of a mail."""

from typing import Any

from notifications.templating.library import EMPTY, Library
from notifications.templating.rendering import render_content


def body(source: str, *, locale: str = "en", timezone: str = "UTC", library: Library = EMPTY, **context: Any) -> str:
    """The Markdown that `source` becomes."""
    said = render_content(
        {"body": source},
        channel="email",
        context=context,
        locale=locale,
        timezone=timezone,
        default_locale=locale,
        library=library,
    )
    return said.body


def title(source: str, *, locale: str = "en", timezone: str = "UTC", **context: Any) -> str:
    """The line that `source` becomes."""
    return render_content(
        {"title": source}, channel="in_app", context=context, locale=locale, timezone=timezone, default_locale=locale
    ).title
