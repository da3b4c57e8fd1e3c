"""Nobody outside can make us knock on a door inside."""

import asyncio
import socket
from pathlib import Path

import pytest

from delivery.transports.base import PermanentFailure, TemporaryFailure
from delivery.transports.guard import AddressGuard
from delivery.transports.resolver import AddrInfo, GuardedResolver
from tests.delivery.transports.certificates import make_certificate
from tests.delivery.transports.servers import free_port, http_script, tcp_server
from tests.delivery.transports.webhook.receivers import LOOPBACK, OK, hook, loopback_transport, receiver


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://2130706433:{port}/"]
)
async def test_a_literal_that_leads_inside_is_refused_before_any_network(url: str) -> None:
    async with loopback_transport(allow=()) as transport:
        with pytest.raises(PermanentFailure) as caught:
            transport.render(hook(url.format(port=80)))
    assert caught.value.reason == "forbidden_address"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "127.1", "2130706433"])
async def test_the_socket_itself_is_guarded_whatever_was_checked_before(host: str) -> None:
    """A payload made under another guard, as if the URL check had been fooled."""
    async with receiver() as there:
        url = f"http://{host}:{there.port}/"
        async with loopback_transport() as lax, loopback_transport(allow=()) as strict:
            payload = lax.render(hook(f"http://127.0.0.1:{there.port}/"))
            fooled = type(payload)(
                delivery_id=payload.delivery_id,
                url=type(payload.url)(url),
                body=payload.body,
                keys=payload.keys,
            )
            with pytest.raises(PermanentFailure) as caught:
                await strict.send(fooled)
    assert caught.value.reason in ("forbidden_address", "invalid_url")
    assert not there.requests


async def test_a_name_that_leads_inside_is_refused() -> None:
    async with receiver() as there:
        lookups: list[str] = []

        def lookup(host: str, port: int) -> list[AddrInfo]:
            lookups.append(host)
            return [
                (socket.AF_INET, 1, 6, "", ("93.184.216.34", port)),
                (socket.AF_INET, 1, 6, "", ("127.0.0.1", port)),
            ]

        resolver = GuardedResolver(AddressGuard(), lookup=lookup)
        async with loopback_transport(resolver, allow=()) as transport:
            with pytest.raises(PermanentFailure) as caught:
                await transport.send(transport.render(hook(f"http://inside.example:{there.port}/")))
        assert caught.value.reason == "forbidden_address"
        assert lookups == ["inside.example"]
        assert not there.requests


async def test_a_name_that_changes_its_mind_gets_nothing() -> None:
    """Rebinding: allowed when it is first asked, inside at every later question."""
    async with receiver() as inside, tcp_server(http_script(OK)) as outside:
        answers = iter(["127.0.0.2"])

        def lookup(host: str, port: int) -> list[AddrInfo]:
            return [(socket.AF_INET, 1, 6, "", (next(answers, "127.0.0.1"), port))]

        # 127.0.0.2 plays the public internet here, 127.0.0.1 the inside.
        resolver = GuardedResolver(AddressGuard(["127.0.0.2"]), lookup=lookup)
        async with loopback_transport(resolver, allow=("127.0.0.2",)) as transport:
            with pytest.raises(TemporaryFailure) as first:
                await transport.send(transport.render(hook(f"http://rebind.example:{free_port()}/")))
            with pytest.raises(PermanentFailure) as second:
                await transport.send(transport.render(hook(f"http://rebind.example:{inside.port}/")))
        assert first.value.reason == "connection_refused"
        assert second.value.reason == "forbidden_address"
        assert not inside.requests
        assert not outside.connections


async def test_the_checked_address_is_the_one_that_is_connected_to() -> None:
    async with receiver() as there:

        def lookup(host: str, port: int) -> list[AddrInfo]:
            return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

        resolver = GuardedResolver(AddressGuard(LOOPBACK), lookup=lookup)
        async with loopback_transport(resolver) as transport:
            await transport.send(transport.render(hook(f"http://bücher.example:{there.port}/")))
        ((headers, _),) = there.requests
        assert headers["host"] == f"xn--bcher-kva.example:{there.port}"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(socket.gaierror(socket.EAI_NONAME, "unknown"), "dns_failed"), (None, "dns_timeout")],
)
async def test_names_that_cannot_be_looked_up(error: OSError | None, reason: str) -> None:
    release = asyncio.Event()

    def lookup(host: str, port: int) -> list[AddrInfo]:
        if error is not None:
            raise error
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)
        return []

    loop = asyncio.get_running_loop()
    resolver = GuardedResolver(AddressGuard(), timeout_seconds=0.1, lookup=lookup)
    async with loopback_transport(resolver) as transport:
        with pytest.raises(TemporaryFailure) as caught:
            await transport.send(transport.render(hook("https://nowhere.example/")))
        release.set()
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [("hooks.example", True, None), ("hooks.example", False, "tls_failed"), ("other.example", True, "tls_failed")],
)
async def test_the_certificate_must_fit_the_name(tmp_path: Path, name: str, trusted: bool, reason: str | None) -> None:
    certificate, context = make_certificate(tmp_path, "hooks.example")

    def lookup(host: str, port: int) -> list[AddrInfo]:
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    resolver = GuardedResolver(AddressGuard(LOOPBACK), lookup=lookup)
    async with (
        receiver(tls=context) as there,
        loopback_transport(resolver, ca_file=str(certificate) if trusted else None) as transport,
    ):
        payload = transport.render(hook(f"https://{name}:{there.port}/"))
        if reason is None:
            await transport.send(payload)
        else:
            with pytest.raises(TemporaryFailure) as caught:
                await transport.send(payload)
            assert caught.value.reason == reason
    assert len(there.requests) == (reason is None)
