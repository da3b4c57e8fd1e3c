"""Which fields a template has, per channel, and what text each is."""

from collections.abc import Mapping
from typing import Final

from notifications.templating.escaping import Kind

EMAIL: Final = "email"
ANY_CHANNEL: Final = "default"
"""The channel of a stored template's fields for channels that have none of their own."""
ANY_LOCALE: Final = "default"

KINDS: Final[Mapping[str, Kind]] = {
    "title": Kind.LINE,
    "subject": Kind.LINE,
    "body": Kind.MARKDOWN,
    "html": Kind.HTML,
    "action_url": Kind.URL,
}
_EVERYWHERE: Final = ("title", "body", "action_url")
_MAIL: Final = ("subject", "title", "body", "html", "action_url", "layout")

ROOTS: Final = frozenset(
    [
        "data",
        "recipient",
        "actor",
        "workflow",
        "category",
        "notification",
        "brand",
        "project",
        "items",
        "total_items",
        "actors",
        "total_actors",
        "groups",
        "item",
        "unsubscribe_url",
        "preferences_url",
        "acknowledge_url",
        "now",
    ]
)
"""The variables that a rendering may have."""
LAYOUT_ROOTS: Final = ROOTS | {"content", "title", "subject", "action_url"}


def fields_of(channel: str) -> tuple[str, ...]:
    """What a template of this channel may say."""
    return _MAIL if channel in (EMAIL, ANY_CHANNEL) else _EVERYWHERE
