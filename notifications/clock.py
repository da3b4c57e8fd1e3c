"""The product's clock. Whatever Python decides by the time of day asks here; what SQL decides asks `now()`.

Both can be put into other hands together: `running_by` here, and for a database session a search path in whose front schema
stands another `now()` (`deploy/simulation`). Durations that only bound waiting use `time.monotonic()` and are not time of day.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime


def _system_time() -> datetime:
    return datetime.now(UTC)


class _Clock:
    """Where the time comes from, in this process."""

    source: Callable[[], datetime] = staticmethod(_system_time)


def utc_now() -> datetime:
    """The time, in UTC."""
    return _Clock.source()


@contextlib.contextmanager
def running_by(source: Callable[[], datetime]) -> Iterator[None]:
    """Within, `utc_now` is what `source` says."""
    before = _Clock.source
    _Clock.source = staticmethod(source)
    try:
        yield
    finally:
        _Clock.source = staticmethod(before)
