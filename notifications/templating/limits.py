"""How much a template may take, and the meter that runs while one is rendered.

python-liquid bounds nesting, the product of nested loops, output and local names. It bounds neither time nor what a single
filter makes: here every step (a variable looked up, a filter, a turn of a loop, a partial) looks at the clock, and since no step
works on more than the sizes below, one that begins in time ends soon after.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from liquid.exceptions import ResourceLimitError

MAX_SOURCE: Final = 128 * 1024
"""Characters of one field, layout or partial."""
MAX_EXPRESSION: Final = 1024
"""Characters between two brackets."""
MAX_BRACKETS: Final = 20
"""`[` in one expression: their nesting takes quadratic time."""
MAX_EXPRESSIONS: Final = 2000
"""Of one text: reading one takes 50 to 100 microseconds."""
MAX_OUTPUT_BYTES: Final = 256 * 1024
"""Of one rendered field."""
MAX_SECONDS: Final = 0.5
"""For one rendering: all its fields, and the layout. Of the processor: a busy machine makes no good template fail."""
MAX_TURNS: Final = 50_000
"""Of all loops of one rendering together."""
MAX_LOCAL_BYTES: Final = 1024 * 1024
"""What a template keeps in names of its own."""
MAX_BLOCKS: Final = 20
"""Blocks within blocks."""
MAX_DEPTH: Final = 12
"""Partials within partials, loops included."""
MAX_TEXT: Final = 512 * 1024
"""Characters that a filter takes or makes."""
MAX_ITEMS: Final = 10_000
"""Of a list that a filter takes or makes."""
MAX_NUMBER: Final = 10**30


class LimitReached(ResourceLimitError):
    """More than a template may take."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class Meter:
    """What one rendering has taken so far; and the names it asked for in vain."""

    def __init__(self, seconds: float = MAX_SECONDS, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._turns = 0
        self.undefined: dict[str, None] = {}
        self.noting = False
        """Whether what is looked up now is to be shown, so that its absence is worth telling."""

    def step(self) -> None:
        """Raises `LimitReached` when time is up."""
        if self._clock() > self._deadline:
            raise LimitReached("it took too long to render")

    def turn(self) -> None:
        """One more turn of a loop."""
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise LimitReached(f"its loops make more than {MAX_TURNS} turns")
        self.step()


def check_size(value: Any) -> None:
    """Raises `LimitReached` for what a filter should neither take nor make."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise LimitReached(f"a text has more than {MAX_TEXT} characters")
    elif isinstance(value, list | tuple | range):
        try:
            size = len(value)
        except OverflowError:
            size = MAX_ITEMS + 1
        if size > MAX_ITEMS:
            raise LimitReached(f"a list has more than {MAX_ITEMS} items")
    elif isinstance(value, int) and not -MAX_NUMBER < value < MAX_NUMBER:
        raise LimitReached("a number is too large")
