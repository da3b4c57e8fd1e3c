"""Event types, as a webhook's `type` says them, and the filters by which an endpoint chooses. Pure.

A filter is an event type (`order-shipped`), or its beginning and an asterisk (`order-*`, `*`). No filter means everything.
"""

import re
from collections.abc import Sequence
from typing import Final

DEFAULT: Final = "notification"
"""The type of what was said without a workflow."""
PING: Final = "ping"
MOST_FILTERS: Final = 50
_FILTER: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:@-]{0,254})?(?:\*|(?<=.))\Z")


def event_type_of(workflow: str | None) -> str:
    """The type under which a notification's webhooks go out."""
    return workflow or DEFAULT


def is_wanted(event_type: str, filters: Sequence[str]) -> bool:
    """Whether an endpoint with these filters is to hear of it."""
    return not filters or any(
        event_type.startswith(wanted[:-1]) if wanted.endswith("*") else event_type == wanted for wanted in filters
    )


def check_filter(text: str) -> str:
    """One filter. Raises ValueError."""
    if not _FILTER.match(text):
        raise ValueError(
            "Must be an event type such as order-shipped, or the beginning of some and an asterisk: order-*."
        )
    return text
