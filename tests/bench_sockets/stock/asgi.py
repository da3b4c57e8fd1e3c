"""A consumer as the documentation of Channels shows it: a group for everybody and one for each user."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench_sockets.stock.settings")

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

pages = get_asgi_application()


class Bell(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Joins its groups before it accepts, so a client that is accepted misses nothing from then on."""

    async def connect(self) -> None:
        self.groups_joined = ["everybody", f"user.{self.scope['url_route']['kwargs']['user']}"]
        for group in self.groups_joined:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def bell_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["message"])


application = ProtocolTypeRouter({"http": pages, "websocket": URLRouter([path("ws/<int:user>", Bell.as_asgi())])})
