"""The HTTP client under the webhook transport: one POST, kept connections, nothing remembered, nothing followed."""

import asyncio
import contextlib
import socket
import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from delivery.transports.answers import clean_text
from delivery.transports.guard import AddressGuard
from delivery.transports.resolver import AddrInfo, GuardedResolver
from delivery.transports.webhook.conf import WebhookConf


@dataclass(slots=True)
class Try:
    """What is known about one request while it runs."""

    connected: bool = False
    """A connection was made for it, instead of a kept one being used."""


_BROKEN_OFF = (TimeoutError, httpx.HTTPError, aiohttp.ClientError, OSError)
# What helps to find the request in the receiver's own logs, and no cookies.
_KEPT_HEADERS = frozenset(
    {
        b"content-type", b"retry-after", b"location", b"server", b"x-request-id", b"x-correlation-id", b"traceparent", b"cf-ray",
        b"x-amzn-requestid", b"x-amzn-trace-id",
    }
)  # fmt: skip

_current: ContextVar[Try] = ContextVar("carillon_webhook_try")


@dataclass(frozen=True, slots=True)
class Answer:
    """As much of a response as anybody will look at."""

    status: int
    headers: dict[str, str]
    body: bytes


class WebhookClient:
    """Speaks HTTP/1.1 by httpx's transport API on aiohttp's connections.

    httpx's client on top would add cookies, redirects, proxies and a third of the cost, of which nothing is wanted.
    Opens its session with the first request.
    """

    def __init__(self, conf: WebhookConf, resolver: GuardedResolver | None = None) -> None:
        self._conf = conf
        self._resolver = resolver or GuardedResolver(
            AddressGuard(conf.allow_networks), timeout_seconds=conf.dns_timeout_seconds
        )
        self._transport: AiohttpTransport | None = None
        # The attempt as a whole is timed by the caller; reading has no limit of its own.
        self._extensions = {"timeout": {"connect": conf.connect_timeout_seconds, "read": None, "pool": None}}

    async def post(
        self, url: httpx.URL, *, headers: dict[str, str], content: bytes, attempt: Try, deadline: float
    ) -> Answer:
        """Send it once, ending by `deadline` (of the loop's clock).

        With a status the attempt is decided: a body that stalls or breaks after it is only cut off.
        Raises what httpx-aiohttp raises, with aiohttp's exception as its cause; TimeoutError when no status came.
        """
        transport = self._transport or self._open()
        token = _current.set(attempt)
        try:
            request = httpx.Request("POST", url, headers=headers, content=content, extensions=self._extensions)
            async with asyncio.timeout_at(deadline):
                response = await transport.handle_async_request(request)
        finally:
            _current.reset(token)
        body = await self._read(response, deadline)
        headers = {
            name.lower().decode("ascii"): clean_text(value, limit_bytes=200)
            for name, value in response.headers.raw
            if name.lower() in _KEPT_HEADERS
        }
        return Answer(response.status_code, headers, body)

    async def _read(self, response: httpx.Response, deadline: float) -> bytes:
        stream = cast(httpx.AsyncByteStream, response.stream)
        body = bytearray()
        closed = False
        try:
            with contextlib.suppress(*_BROKEN_OFF):
                async with asyncio.timeout_at(deadline):
                    async for chunk in stream:
                        body += chunk
                        if len(body) >= self._conf.max_response_bytes:
                            break
                    await stream.aclose()
                    closed = True
        finally:
            if not closed:
                # A receiver that answered without reading all we sent could hold the writer here.
                with contextlib.suppress(*_BROKEN_OFF):
                    async with asyncio.timeout(1):
                        await stream.aclose()
        return bytes(body)

    def _open(self) -> AiohttpTransport:
        context = httpx.create_ssl_context(trust_env=False)
        if self._conf.ca_file is not None:
            context.load_verify_locations(self._conf.ca_file)
        self._transport = AiohttpTransport(verify=context, trust_env=False, client=lambda: self._session(context))
        return self._transport

    def _session(self, context: ssl.SSLContext) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context,
            limit=0,
            keepalive_timeout=self._conf.keepalive_seconds,
            resolver=self._resolver,
            socket_factory=self._open_socket,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    def _open_socket(self, addr_info: AddrInfo) -> socket.socket:
        _current.get().connected = True
        return self._resolver.open_socket(addr_info)

    async def aclose(self) -> None:
        """Close the kept connections and let go of the lookup threads."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()
        await self._resolver.close()
