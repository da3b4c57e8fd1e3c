"""Who acts. PostgreSQL is told before a change is made, and the triggers of the audit log write it down with it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final
from uuid import UUID

from django.db import Error, connection

acting_key: Final[ContextVar[UUID | None]] = ContextVar("acting_key", default=None)
"""The API key of a request that may change something."""

_TELL: Final = "SELECT set_config('carillon.actor', %s, false)"


@contextlib.contextmanager
def acting_as(name: str) -> Iterator[None]:
    """What this thread's connection changes meanwhile is put down to `name`; nothing is said where there is no name."""
    if not name:
        yield
        return
    _tell(name)
    try:
        yield
    finally:
        # The connection goes back to a pool. One that is broken does not.
        with contextlib.suppress(Error):
            _tell("")


def _tell(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [name])
