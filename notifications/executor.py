"""Synchronous ORM work for asynchronous callers: a bounded pool of threads of our own.

Django's `sync_to_async` gives all thread-sensitive calls of a process one thread, and its per-request thread context
leaks pooled connections with dead threads. Here each call runs on one of a few long-lived threads and gives its database
connection back when it ends.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connections
from psycopg_pool import PoolTimeout

from notifications.conf import conf
from notifications.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(conf().executor_threads, thread_name_prefix="orm")


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `work` on a thread with a database connection. Raises what it raises, or `Unavailable` without PostgreSQL."""
    call = functools.partial(_run, work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor(), call)


def _run(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return work(*args, **kwargs)
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unavailable("The database does not answer. Nothing was changed; try again.") from error
    finally:
        connections.close_all()
