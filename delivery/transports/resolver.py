"""Name lookups under the guard, in threads of their own, for clients built on aiohttp."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from delivery.transports.guard import AddressGuard

AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int], list[AddrInfo]]


class ForbiddenAddress(OSError):
    """The name, or the literal, leads to an address that must not be connected to."""


class LookupTimeout(OSError):
    """No answer from the name servers in time."""


def look_up(host: str, port: int) -> list[AddrInfo]:
    """What the operating system's resolver says; blocks, so it is called in a thread."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [(int(family), int(type_), proto, name, address) for family, type_, proto, name, address in found]


class GuardedResolver(AbstractResolver):
    """Answers with allowed addresses only.

    The threads are its own and many: a name server that hangs must not hold up other lookups, nor the loop's
    default executor. `lookup` can be another source of addresses, such as a different name service.
    """

    def __init__(
        self, guard: AddressGuard, *, timeout_seconds: float = 3, max_threads: int = 32, lookup: Lookup = look_up
    ) -> None:
        self._guard = guard
        self._timeout_seconds = timeout_seconds
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="carillon-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of the name, once each; ForbiddenAddress when one of them is not allowed."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await loop.run_in_executor(self._threads, self._lookup, host, port)
        except TimeoutError:
            raise LookupTimeout(socket.EAI_AGAIN, "name lookup timed out") from None
        except UnicodeError:
            raise OSError(socket.EAI_NONAME, "not a host name") from None
        addresses: dict[str, int] = {}
        for found_family, _, _, _, sockaddr in found:
            if family in (socket.AF_UNSPEC, found_family):
                scoped = found_family == socket.AF_INET6 and sockaddr[3]
                addresses[f"{sockaddr[0]}%{sockaddr[3]}" if scoped else str(sockaddr[0])] = found_family
        if not addresses:
            raise OSError(socket.EAI_NONAME, "the name has no address")
        if not all(self._guard.is_allowed(address) for address in addresses):
            raise ForbiddenAddress(socket.EAI_FAIL, "the name leads to an address that is not allowed")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=found_family, proto=0, flags=socket.AI_NUMERICHOST
            )
            for address, found_family in addresses.items()
        ]

    def open_socket(self, addr_info: AddrInfo) -> socket.socket:
        """A socket for exactly this address, unless it is forbidden (aiohttp's `socket_factory`)."""
        family, type_, proto, _, sockaddr = addr_info
        if not self._guard.is_allowed(str(sockaddr[0])):
            raise ForbiddenAddress(socket.EAI_FAIL, "the address is not allowed")
        return socket.socket(family, type_, proto)

    async def close(self) -> None:
        """Let go of the threads; a lookup that still runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
