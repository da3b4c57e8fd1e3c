"""`python -m deploy.bounces`: the SMTP listener for bounces as a process of its own, until SIGTERM."""

import asyncio
import os
import signal
import sys

import django
import structlog

from deploy.logs import configure_logging

log = structlog.get_logger(__name__)


def main() -> int:
    """Exit status 2 when there is nothing to listen on, or it cannot be had."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    django.setup()
    configure_logging()
    from delivery.feedback.conf import conf

    listen = conf().listen
    if listen is None:
        log.error("bounce_listener_not_configured", variable="CARILLON_BOUNCE_LISTEN")
        return 2
    try:
        # The process's one loop; database work goes to the executor's threads.
        asyncio.run(_serve(*listen, address=conf().address or conf().sender))  # noqa: TID251
    except OSError as error:
        log.error("bounce_listener_cannot_listen", variable="CARILLON_BOUNCE_LISTEN", error=str(error))
        return 2
    return 0


async def _serve(host: str, port: int, *, address: str) -> None:
    from delivery.heartbeats import BOUNCES, Heart
    from deploy.bounces.listener import start_bounce_listener  # needs the models, which need Django

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await start_bounce_listener(host, port, address=address)
    log.info("bounce_listener_ready", host=host, port=port)
    heart = Heart(BOUNCES)
    heart.start()
    await stop.wait()
    server.close()
    await heart.stop()


if __name__ == "__main__":
    sys.exit(main())
