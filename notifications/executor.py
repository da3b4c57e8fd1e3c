"""Synchronous ORM work for asynchronous callers: a bounded pool of threads of our own.

Django's `sync_to_async` gives all thread-sensitive calls of a process one thread, and its per-request thread context
leaks pooled connections with dead threads. Here each call runs on one of a few long-lived threads and gives its database
connection back when it ends.
"""

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from psycopg_pool import PoolTimeout

from notifications import ids
from notifications.acting import acting_as, acting_key
from notifications.conf import conf
from notifications.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

_PATIENCE_SECONDS: Final = 1.5  # the contract's two seconds, with room for a busy process
_DETAIL: Final = "The database does not answer. Nothing was changed; try again."


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(conf().executor_threads, thread_name_prefix="orm")


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `work` on a thread with a database connection.

    Raises what it raises, or `Unavailable` when no connection is there in time; then `work` is never begun, however
    late a thread or a connection comes free.
    """
    call = _Call(functools.partial(work, *args, **kwargs))
    future = asyncio.get_running_loop().run_in_executor(_executor(), call)
    await asyncio.wait([future], timeout=_PATIENCE_SECONDS)
    if not future.done() and call.give_up():
        future.cancel()
        raise Unavailable(_DETAIL)
    return await future


class _Call(Generic[R]):
    """One piece of work that is either begun or given up, never both."""

    def __init__(self, work: Callable[[], R]) -> None:
        self._work = work
        key_id = acting_key.get()  # the thread has a context of its own
        self._actor = ids.encode("key", key_id) if key_id else ""
        self._guard = threading.Lock()
        self._decided = False

    def __call__(self) -> R:
        try:
            connections[DEFAULT_DB_ALIAS].ensure_connection()
            if not self._decide():
                raise Unavailable(_DETAIL)
            with acting_as(self._actor):
                return self._work()
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable(_DETAIL) from error
        finally:
            connections.close_all()

    def give_up(self) -> bool:
        """Whether the work will not be begun any more."""
        return self._decide()

    def _decide(self) -> bool:
        with self._guard:
            first, self._decided = not self._decided, True
            return first
