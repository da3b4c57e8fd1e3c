"""Every way to start Carillon asks whether the encryption keys are the database's, and refuses if they are not."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

import psycopg
import structlog
from celery.signals import worker_init
from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register

from notifications.canary import WrongKey, verify_key

log = structlog.get_logger(__name__)

_AGAIN_SECONDS: Final = 1.0
_background: set[asyncio.Task[None]] = set()


async def guard_web_process() -> None:
    """Raises WrongKey. While the database is away the process serves its 503s, and ends itself if the keys prove wrong."""
    try:
        await asyncio.to_thread(verify_key)
    except psycopg.Error:
        task = asyncio.create_task(_ask_until_answered())
        _background.add(task)
        task.add_done_callback(_background.discard)


async def _ask_until_answered() -> None:
    while True:
        await asyncio.sleep(_AGAIN_SECONDS)
        try:
            await asyncio.to_thread(verify_key)
        except psycopg.Error:
            continue
        except WrongKey as error:
            log.critical("encryption_keys_are_wrong", error=str(error))
            os.kill(os.getpid(), signal.SIGTERM)
        return


@worker_init.connect
def _guard_worker(**_: Any) -> None:
    """In the worker's parent, before anything is forked or asked for."""
    try:
        verify_key()
    except psycopg.Error:
        return  # the engine asks again before it does anything
    except WrongKey as error:
        log.critical("encryption_keys_are_wrong", error=str(error))
        sys.exit(f"{error}")


@register(Tags.database)
def check_keys(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """For `manage.py check --database default` and `manage.py migrate`."""
    if "default" not in (databases or ()):
        return []
    try:
        verify_key(add=False)
    except psycopg.Error as error:
        return [Error(f"The database does not answer: {error}", id="carillon.E002")]
    except WrongKey as error:
        return [Error(str(error), id="carillon.E001")]
    return []
