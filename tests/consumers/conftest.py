"""A real uvicorn with the inbox socket, real recipients, and clients to connect with."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from channels.layers import get_channel_layer
from websockets.asyncio.client import connect

from consumers import hub
from consumers.conf import ConsumersConf
from consumers.socket import PATH, inbox_socket
from deploy.http_protocol import GuardedHttpProtocol
from deploy.socket_protocol import LeanSocketProtocol
from tests.consumers.inbox import Client

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
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's (by whose name it finds out which databases to create): each test has a recipient of
    its own instead of an empty database, which takes longer than most tests."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Where the server listens. Drains at the end, as the product's server does."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        inbox_socket,  # type: ignore[arg-type]
        http=GuardedHttpProtocol,
        ws=LeanSocketProtocol,
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
