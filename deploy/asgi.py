"""The ASGI application of one web process: the lean handler for the API, Django's for pages, the inbox socket."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")

import django

django.setup()

from django.core.handlers.asgi import ASGIHandler

import deploy.celery_app  # noqa: F401 - makes it the app that the bell rings through
from api.handler import LeanHandler
from consumers.socket import inbox_socket
from delivery.heartbeats import WEB, Heart
from deploy.key_guard import guard_web_process
from deploy.logs import configure_logging
from notifications.canary import WrongKey
from notifications.collecting import collect_seldom
from notifications.inbox.process import stop_inbox
from notifications.intake.process import stop_intake

_API_PATHS = ("/v1/", "/u/", "/p/", "/k/", "/healthz", "/readyz", "/metrics")


class Application:
    """Hands each connection to whom it belongs, by type and path."""

    def __init__(self) -> None:
        self._api = LeanHandler("deploy.api_urls")
        self._pages = ASGIHandler()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            handler = self._api if scope["path"].startswith(_API_PATHS) else self._pages
            await handler(scope, receive, send)
        elif scope["type"] == "websocket":
            await _websocket(scope, receive, send)
        else:
            await _lifespan(receive, send)


async def _websocket(scope: Any, receive: Any, send: Any) -> None:
    """The inbox; at any other address the handshake is refused (403)."""
    if scope["path"] == "/ws/inbox":
        await inbox_socket(scope, receive, send)
    else:
        await receive()
        await send({"type": "websocket.close"})


async def _lifespan(receive: Any, send: Any) -> None:
    """Start and end of the process, as the ASGI lifespan protocol tells them."""
    heart = Heart(WEB)
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            configure_logging()
            collect_seldom()
            try:
                await guard_web_process()
            except WrongKey as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            heart.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await stop_inbox()
            await stop_intake()
            await heart.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = Application()
