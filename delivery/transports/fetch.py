"""Fetching a file from an address that a stranger gave: guarded, bounded, and shared by who asks at the same time.

What was fetched is kept for a short time, so that a broadcast asks its host once per process; so is a failure, so that a
dead host holds up one mail of a broadcast and not all of them.
"""

import asyncio
import functools
import hashlib
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import ip_network

import aiohttp
import httpx

from delivery.transports.base import DeliveryError, PermanentFailure, TemporaryFailure
from delivery.transports.guard import AddressGuard, UrlRefused
from delivery.transports.resolver import ForbiddenAddress, GuardedResolver

_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchConf:
    """`allow_networks` (CIDR) are exempt from the address guard; `ca_file` adds certificate authorities (PEM)."""

    allow_networks: tuple[str, ...] = ()
    ca_file: str | None = None
    user_agent: str = "Carillon"
    timeout_seconds: float = 8.0
    """For one file as a whole."""
    max_bytes: int = 10 * 1024 * 1024
    """Of one file, and of all that is asked for together."""
    keep_seconds: float = 60.0
    keep_failures_seconds: float = 10.0
    keep_bytes: int = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        for network in self.allow_networks:
            ip_network(network)
        if self.timeout_seconds <= 0 or self.max_bytes < 1:
            raise ValueError("timeout_seconds and max_bytes must be above 0")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's content, and its SHA-256 to know it by."""

    content: bytes = field(repr=False)
    digest: bytes


@dataclass(slots=True)
class _Kept:
    task: asyncio.Task[Fetched]
    until: float = float("inf")
    size: int = 0


class Fetcher:
    """Belongs to one event loop; opens its session with the first file."""

    def __init__(self, conf: FetchConf, resolver: GuardedResolver | None = None) -> None:
        self._conf = conf
        self._guard = AddressGuard(conf.allow_networks)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def fetch(self, url: str) -> Fetched:
        """The file; raises PermanentFailure `attachment_refused` or `attachments_too_large`, TemporaryFailure
        `attachment_unavailable`."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(url)
        if kept is None or kept.until <= loop.time():
            self._kept.pop(url, None)
            kept = self._kept[url] = _Kept(loop.create_task(self._fetch(url)))
            kept.task.add_done_callback(functools.partial(self._done, url, kept))
        # Shielded: whoever waits may give up, the others go on waiting for the same answer.
        return await asyncio.shield(kept.task)

    def _done(self, url: str, kept: _Kept, _: asyncio.Task[Fetched]) -> None:
        """Keep the answer for its time, and no more than there is room for."""
        failed = kept.task.cancelled() or kept.task.exception() is not None
        keep = self._conf.keep_failures_seconds if failed else self._conf.keep_seconds
        kept.until = kept.task.get_loop().time() + keep
        kept.size = 0 if failed else len(kept.task.result().content)
        now, room = kept.task.get_loop().time(), self._conf.keep_bytes
        for other, entry in reversed(list(self._kept.items())):
            room -= entry.size
            if entry.task.done() and (entry.until <= now or (room < 0 and other != url)):
                del self._kept[other]

    async def _fetch(self, url: str) -> Fetched:
        try:
            address = self._guard.check_url(url)
        except UrlRefused as refused:
            raise PermanentFailure("attachment_refused", response={"error": refused.reason}) from None
        try:
            async with asyncio.timeout(self._conf.timeout_seconds):
                content = await self._get(address)
        except DeliveryError:
            raise
        except TimeoutError:
            raise unavailable("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, ForbiddenAddress):
                    raise PermanentFailure("attachment_refused", response={"error": "forbidden_address"}) from None
                cause = getattr(cause, "os_error", None) or cause.__cause__
            raise unavailable(type(error).__name__) from None
        return Fetched(content, hashlib.sha256(content).digest())

    async def _get(self, url: str) -> bytes:
        session = self._session or self._open()
        async with session.get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise unavailable("status", status=response.status)
            content = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._conf.max_bytes:
                    raise PermanentFailure("attachments_too_large")
            return bytes(content)

    def _open(self) -> aiohttp.ClientSession:
        context: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        if self._conf.ca_file is not None:
            context.load_verify_locations(self._conf.ca_file)
        resolver = self._resolver = self._resolver or GuardedResolver(self._guard)
        connector = aiohttp.TCPConnector(
            ssl=context, limit=32, limit_per_host=4, resolver=resolver, socket_factory=resolver.open_socket
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": self._conf.user_agent, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self._session

    async def aclose(self) -> None:
        """End what is under way and close the connections."""
        for kept in self._kept.values():
            kept.task.cancel()
        await asyncio.gather(*(kept.task for kept in self._kept.values()), return_exceptions=True)
        self._kept.clear()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        if self._resolver is not None:
            await self._resolver.close()


def unavailable(error: str, **more: int) -> TemporaryFailure:
    """For a file that cannot be had now."""
    return TemporaryFailure("attachment_unavailable", response={"error": error, **more})
