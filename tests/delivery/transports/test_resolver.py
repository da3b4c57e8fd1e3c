"""Names under the guard."""

import socket
import threading

import pytest

from delivery.transports.guard import AddressGuard
from delivery.transports.resolver import AddrInfo, ForbiddenAddress, GuardedResolver, LookupTimeout, look_up


def answering(*addresses: str) -> GuardedResolver:
    def lookup(host: str, port: int) -> list[AddrInfo]:
        return [
            (socket.AF_INET6, 1, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]

    return GuardedResolver(AddressGuard(), lookup=lookup)


async def test_all_public_answers_are_handed_out_once() -> None:
    resolver = answering("8.8.8.8", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111")
    found = await resolver.resolve("example.com", 443)
    await resolver.close()
    assert [result["host"] for result in found] == ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"]
    assert {result["port"] for result in found} == {443}


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("2606:4700:4700::1111", "::1"), ("::ffff:169.254.169.254",)]
)
async def test_one_forbidden_answer_refuses_the_name(addresses: tuple[str, ...]) -> None:
    resolver = answering(*addresses)
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("example.com", 443)
    await resolver.close()


async def test_no_answer_is_an_error() -> None:
    resolver = answering()
    with pytest.raises(OSError, match="no address"):
        await resolver.resolve("example.com", 443)
    await resolver.close()


async def test_a_lookup_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def lookup(host: str, port: int) -> list[AddrInfo]:
        if host == "slow.example":
            release.wait(30)
        return [(socket.AF_INET, 1, 6, "", ("8.8.8.8", port))]

    resolver = GuardedResolver(AddressGuard(), timeout_seconds=0.1, lookup=lookup)
    with pytest.raises(LookupTimeout):
        await resolver.resolve("slow.example", 443)
    assert await resolver.resolve("fast.example", 443)
    release.set()
    await resolver.close()


async def test_the_systems_own_lookup() -> None:
    assert {address[0] for *_, address in look_up("localhost", 80)} <= {"127.0.0.1", "::1"}
    resolver = GuardedResolver(AddressGuard())
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("localhost", 80)
    await resolver.close()


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "\udc80.example", "x\x00y"])
async def test_names_that_are_none_fail_like_unknown_ones(host: str) -> None:
    resolver = GuardedResolver(AddressGuard())
    with pytest.raises(OSError, match=r"."):
        await resolver.resolve(host, 80)
    await resolver.close()


def test_a_socket_is_opened_for_an_allowed_address_only() -> None:
    resolver = GuardedResolver(AddressGuard())
    info: AddrInfo = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("8.8.8.8", 443))
    resolver.open_socket(info).close()
    with pytest.raises(ForbiddenAddress):
        resolver.open_socket((*info[:4], ("127.0.0.1", 443)))
