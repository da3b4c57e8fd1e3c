"""A real uvicorn with the inbox socket, real recipients, and clients to connect with."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from channels.layers import get_channel_layer
from django.db import connections
from websockets.asyncio.client import connect

from consumers import hub
from consumers.conf import ConsumersConf
from consumers.socket import PATH, inbox_socket
from tests.consumers.inbox import Client, Owner

MakeClient = Callable[..., Awaitable[Client]]


class QuietServer(uvicorn.Server):
    """uvicorn, leaving the signals to pytest."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    """The production limits, but for a quicker clock."""
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05)


@pytest.fixture
def make_owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[], Owner]]:
    """Recipients that are really committed, each test its own; nothing else looks at them."""

    # pytest reads this file before the servers run and Django is set up.
    from notifications.models import Project, Recipient

    def make() -> Owner:
        with django_db_blocker.unblock():
            project = Project.objects.create(name=f"Sockets {uuid4().hex}")
            recipient = Recipient.objects.create(project=project, external_id=f"u-{uuid4().hex}")
        return Owner(project.pk, recipient.pk, recipient.external_id)

    yield make
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture
def owner(make_owner: Callable[[], Owner]) -> Owner:
    return make_owner()


@pytest.fixture
def stranger(make_owner: Callable[[], Owner]) -> Owner:
    """Somebody else, in another project."""
    return make_owner()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Where the server listens. Drains at the end, as the product's server does."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        inbox_socket,  # type: ignore[arg-type]
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=256 * 1024,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}{PATH}"
    await hub.drain()
    server.should_exit = True
    await serving
    await get_channel_layer().flush()


@pytest.fixture
async def open_socket(url: str) -> AsyncIterator[MakeClient]:
    """Open one more socket; all are closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options: Any) -> Client:
            options = {"compression": None, "ping_interval": None, "max_size": 2**24, **options}
            return Client(await stack.enter_async_context(connect(url, **options)))

        yield make
