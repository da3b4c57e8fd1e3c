"""Which of a template's variants is for somebody: by channel, then by locale, the most special there is."""

from collections.abc import Mapping
from typing import Any, TypeVar

from notifications.templating.fields import ANY_CHANNEL, ANY_LOCALE
from notifications.templating.locales import fallbacks

T = TypeVar("T")


def for_locale(locales: Mapping[str, T], locale: str | None, default_locale: str) -> tuple[str, T] | None:
    """`de-AT -> de -> the project's locale -> its language -> default`, with the locale that was found."""
    wanted = (*fallbacks(locale or default_locale), *fallbacks(default_locale))
    for tag in wanted:
        if tag in locales:
            return tag, locales[tag]
    return (ANY_LOCALE, locales[ANY_LOCALE]) if ANY_LOCALE in locales else None


def for_channel(variants: Mapping[str, Any], channel: str) -> Mapping[str, Any] | None:
    """The channel's own variants, or those for any."""
    found: Mapping[str, Any] | None = variants.get(channel) or variants.get(ANY_CHANNEL)
    return found
