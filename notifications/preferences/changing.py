"""Changing one thing in preferences as they are stored, and nothing else. Pure."""

from collections.abc import Iterable
from typing import Any, Literal

Settings = dict[str, Any]


def switch_channel(settings: Settings, channel: str, on: bool) -> Settings:
    """`settings` with the channel switched."""
    return {**settings, "channels": {**(settings.get("channels") or {}), channel: on}}


def switch(
    settings: Settings,
    part: Literal["categories", "workflows"],
    key: str,
    channel: str,
    on: bool,
    *,
    known: Iterable[str],
) -> Settings:
    """`settings` with a category or workflow switched for one channel.

    Where it was switched as a whole, every other of the `known` channels keeps what that meant for it.
    """
    entries = settings.get(part) or {}
    entry: Any = entries.get(key)
    if isinstance(entry, bool):
        entry = dict.fromkeys(known, entry)
    return {**settings, part: {**entries, key: {**(entry or {}), channel: on}}}
