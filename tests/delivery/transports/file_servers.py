"""A host of files by https, named `files.test`, and resolvers that lead there."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from delivery.transports.fetch import FetchConf
from delivery.transports.guard import AddressGuard
from delivery.transports.resolver import AddrInfo, GuardedResolver
from tests.delivery.transports.certificates import make_certificate

HOST = "files.test"
LOOPBACK = ("127.0.0.0/8",)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FileServer:
    """What it serves, and how often it was asked for each path."""

    port: int
    ca_file: str
    files: dict[str, bytes | Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    requests: list[web.Request] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"https://{HOST}:{self.port}{path}"

    def conf(self, **changes: Any) -> FetchConf:
        values: dict[str, Any] = {"allow_networks": LOOPBACK, "ca_file": self.ca_file}
        return FetchConf(**values | changes)


def resolver(address: str = "127.0.0.1", allow: tuple[str, ...] = LOOPBACK) -> GuardedResolver:
    """Every name leads to `address`."""

    def look_up(host: str, port: int) -> list[AddrInfo]:
        return [(2, 1, 6, "", (address, port))]

    return GuardedResolver(AddressGuard(allow), lookup=look_up)


@contextlib.asynccontextmanager
async def file_server(folder: Path) -> AsyncIterator[FileServer]:
    certificate, context = make_certificate(folder, HOST)
    server = FileServer(0, str(certificate))

    async def handle(request: web.Request) -> web.StreamResponse:
        server.asked[request.path] += 1
        server.requests.append(request)
        found = server.files.get(request.path)
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found) if isinstance(found, bytes) else await found(request)

    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    assert isinstance(site._server, asyncio.Server)
    server.port = site._server.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        await runner.cleanup()
