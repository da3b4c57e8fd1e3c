"""The other side of webhooks, and transports that may reach it on this machine."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from delivery.transports.base import DeliveryError, Outbound
from delivery.transports.resolver import GuardedResolver
from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.transport import WebhookTransport
from tests.delivery.transports.outbounds import SECRET, make_outbound
from tests.delivery.transports.servers import Handle, tcp_server

LOOPBACK = ("127.0.0.0/8", "::1/128")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Receiver:
    """An aiohttp application that keeps what it is sent and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: dict[str, Any] = {"text": "ok"}
        self.peers: set[Any] = set()
        self.port = 0

    async def handle(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        self.requests.append(({key.lower(): value for key, value in request.headers.items()}, await request.read()))
        return web.Response(**self.answer)

    def url(self, path: str = "/hook?token=sesame") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def receiver(port: int = 0, tls: ssl.SSLContext | None = None, **answer: Any) -> AsyncIterator[Receiver]:
    kept = Receiver()
    kept.answer = answer or kept.answer
    application = web.Application(client_max_size=2**21)
    application.router.add_route("*", "/{tail:.*}", kept.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    kept.port = runner.addresses[0][1]
    try:
        yield kept
    finally:
        await runner.cleanup()


@asynccontextmanager
async def loopback_transport(
    resolver: GuardedResolver | None = None, allow: tuple[str, ...] = LOOPBACK, **changes: Any
) -> AsyncIterator[WebhookTransport]:
    transport = WebhookTransport(WebhookConf(allow_networks=allow, **changes), resolver=resolver)
    try:
        yield transport
    finally:
        await transport.aclose()


def hook(address: str, **changes: Any) -> Outbound:
    return make_outbound(**{"address": address, "secrets": (SECRET,), **changes})


async def failure_with(handle: Handle, **changes: Any) -> DeliveryError:
    """What a send to this scripted server ends in."""
    async with tcp_server(handle) as server, loopback_transport(**changes) as transport:
        with pytest.raises(DeliveryError) as caught:
            await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
        return caught.value
