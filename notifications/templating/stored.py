"""What is wrong with a template on its way into the store, by its kind. Pure; shapes as in `models/templates.py`."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from notifications.errors import Fault
from notifications.templating.fields import ANY_CHANNEL
from notifications.templating.validation import (
    References,
    each_locale,
    layout_faults,
    locales_faults,
    partial_faults,
    references_of,
)
from notifications.texts import escape_pointer

MAX_CHARACTERS: Final = 400 * 1024
"""Of all texts of one version."""


def variants_faults(kind: str, variants: Any, channels: Collection[str]) -> list[Fault]:
    """Faults of a whole version; pointers begin with `/variants`."""
    if not isinstance(variants, Mapping) or not variants:
        return [Fault("/variants", "Must be an object that says something.")]
    if sum(map(len, _texts(variants))) > MAX_CHARACTERS:
        return [Fault("/variants", f"All texts together have at most {MAX_CHARACTERS} characters.")]
    if kind == "layout":
        return each_locale(variants, "/variants", layout_faults)
    if kind == "partial":
        return each_locale(variants, "/variants", partial_faults)
    faults: list[Fault] = []
    known = {*channels, ANY_CHANNEL}
    for channel, locales in variants.items():
        pointer = f"/variants/{escape_pointer(channel)}"
        if channel in known:
            faults += locales_faults(locales, channel, pointer)
        else:
            faults.append(Fault(pointer, f"No such channel; there are {', '.join(sorted(known))}."))
    return faults


def references_in(kind: str, variants: Mapping[str, Any]) -> References:
    """What a version without faults refers to."""
    found = References()
    for locales in [variants] if kind != "template" else variants.values():
        for fields in locales.values():
            found |= references_of(fields)
    return found


def _texts(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
