"""Whether a delivery is still wanted when it is about to go: recipients change their minds after routing. Pure."""

from typing import Protocol

from notifications.preferences.deciding import decide
from notifications.preferences.parsing import read_preferences


class Going(Protocol):
    """What is about to go, with its recipient's own preferences and, where there are any, the project's, as JSON."""

    @property
    def critical(self) -> bool: ...
    @property
    def preferences(self) -> str | None: ...
    @property
    def defaults(self) -> str | None: ...


class Said(Protocol):
    """What preferences go by."""

    @property
    def workflow(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...


def unwanted_reason(channel: str, item: Going, message: Said) -> str:
    """A delivery's reason when its recipient decided against it; empty when it may go, or nothing was ever said."""
    if item.preferences is None or item.critical:
        return ""
    own, defaults = read_preferences(item.preferences), read_preferences(item.defaults)
    return decide(channel, workflow=message.workflow, category=message.category, own=own, defaults=defaults).reason
