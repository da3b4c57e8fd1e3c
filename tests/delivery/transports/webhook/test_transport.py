"""The webhook transport against a real receiver, against rude ones, and against those who aim inside."""

import asyncio
import gzip
import json
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from delivery.transports.base import Content, DeliveryError, Outbound, PermanentFailure, TemporaryFailure
from delivery.transports.guard import AddressGuard
from delivery.transports.resolver import AddrInfo, GuardedResolver
from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.signing import generate_secret
from delivery.transports.webhook.transport import WebhookTransport
from tests.delivery.transports.certificates import make_certificate
from tests.delivery.transports.contract import TransportContract
from tests.delivery.transports.outbounds import SECRET, make_outbound
from tests.delivery.transports.servers import Handle, free_port, http_script, read_request, tcp_server

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


class TestContract(TransportContract):
    port = 0

    def make_transport(self) -> WebhookTransport:
        self.port = self.port or free_port()
        return WebhookTransport(WebhookConf(allow_networks=LOOPBACK))

    @asynccontextmanager
    async def serving(self, **answer: Any) -> AsyncIterator[Outbound]:
        async with receiver(self.port, **answer):
            yield self.absent()

    def accepting(self) -> Any:
        return self.serving(text="thanks")

    def refusing(self) -> Any:
        return self.serving(status=503, text="later")

    def absent(self) -> Outbound:
        return hook(f"http://127.0.0.1:{self.port}/hook?token=sesame")

    def broken(self) -> Outbound:
        return hook("https://ada:sesame@example.com/")

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, SECRET[6:], "sesame", "kettle")


async def test_the_receiver_can_verify_what_arrives() -> None:
    rotated = (generate_secret(), generate_secret())
    outbound_changes: dict[str, Any] = {"secrets": rotated, "content": Content(title="Größe ✓", body="**b**")}
    async with receiver() as there, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(there.url(), **outbound_changes)))
    ((headers, body),) = there.requests
    for secret in rotated:
        Webhook(secret).verify(body, headers)
    assert json.loads(body) == {
        "type": "order-shipped",
        "timestamp": "2026-11-22T13:37:54.250000Z",
        "data": {
            "notification_id": "ntf_0192f0",
            "delivery_id": "dlv_0192f3",
            "recipient": "u1",
            "title": "Größe ✓",
            "body": "**b**",
            "action_url": None,
            "category": "orders",
            "data": {"order": 1234},
        },
    }
    assert headers["webhook-id"] == "dlv_0192f3"
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("Carillon")
    assert receipt.response["status"] == 200
    assert receipt.response["body"] == "ok"


async def test_every_attempt_has_the_same_id_and_its_own_valid_signature() -> None:
    async with receiver() as there, loopback_transport() as transport:
        for attempt in (1, 2):
            await transport.send(transport.render(hook(there.url(), attempt=attempt)))
    for headers, body in there.requests:
        Webhook(SECRET).verify(body, headers)
    assert {headers["webhook-id"] for headers, _ in there.requests} == {"dlv_0192f3"}


async def test_connections_are_kept() -> None:
    async with receiver() as there, loopback_transport() as transport:
        payload = transport.render(hook(there.url()))
        for _ in range(10):
            await transport.send(payload)
        assert len(there.peers) == 1


async def test_nothing_is_remembered_of_an_answer() -> None:
    async with receiver(text="ok", headers={"set-cookie": "id=1; Path=/"}) as there, loopback_transport() as transport:
        for _ in range(2):
            await transport.send(transport.render(hook(there.url())))
    assert all("cookie" not in headers for headers, _ in there.requests)


async def test_redirects_are_not_followed() -> None:
    async with receiver() as target:
        async with (
            receiver(status=307, headers={"location": target.url()}) as there,
            loopback_transport() as transport,
        ):
            with pytest.raises(PermanentFailure) as caught:
                await transport.send(transport.render(hook(there.url())))
        assert not target.requests
    assert caught.value.reason == "redirect"


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as there, loopback_transport() as transport:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await transport.send(transport.render(hook(there.url())))
        assert not proxy.requests


async def test_gone_disables_the_endpoint_and_busy_says_when() -> None:
    async with receiver() as there, loopback_transport() as transport:
        payload = transport.render(hook(there.url()))
        there.answer = {"status": 410}
        with pytest.raises(PermanentFailure) as gone:
            await transport.send(payload)
        there.answer = {"status": 429, "headers": {"retry-after": "7"}, "text": "slow down"}
        with pytest.raises(TemporaryFailure) as busy:
            await transport.send(payload)
    assert gone.value.disable_endpoint
    assert busy.value.retry_after == 7
    assert busy.value.response["headers"]["retry-after"] == "7"
    assert busy.value.response["body"] == "slow down"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((), "connection_lost"),
        ((b"HTTP/1.1 2",), "connection_lost"),
        ((b"\x00\xff\xfe not http\r\n\r\n",), "bad_response"),
        ((b"HTTP/1.1 200 OK\r\n" + b"x: " + b"a" * 100_000 + b"\r\n\r\n",), "bad_response"),
        ((b"HTTP/1.1 200 OK\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(5000)) + b"\r\n",), "bad_response"),
        ((b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n",), "http_500"),
    ],
)
async def test_rude_receivers(answers: tuple[bytes, ...], reason: str) -> None:
    failure = await failure_with(http_script(*answers))
    assert (type(failure), failure.reason) == (TemporaryFailure, reason)


async def test_a_receiver_that_hangs_ends_in_time() -> None:
    failure = await failure_with(
        http_script(hang_after=True), timeout_seconds=0.3, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3
    )
    assert (type(failure), failure.reason) == (TemporaryFailure, "timeout")


async def test_a_head_that_drips_ends_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n" if writer.get_extra_info("dripped") else b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    failure = await failure_with(drip, timeout_seconds=0.3, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3)
    assert failure.reason == "timeout"


@pytest.mark.parametrize(
    "answers",
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nonly ",),
    ],
)
@pytest.mark.parametrize("hang_after", [True, False])
async def test_an_accepted_delivery_stays_accepted_when_the_body_breaks_off(
    answers: tuple[bytes, ...], hang_after: bool
) -> None:
    async with (
        tcp_server(http_script(*answers, hang_after=hang_after)) as server,
        loopback_transport(timeout_seconds=0.4, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3) as transport,
    ):
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    assert receipt.response["status"] == 200


async def test_a_huge_answer_is_cut_off() -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while written < 1_000_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    tracemalloc.start()
    async with tcp_server(flood) as server, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert receipt.response["body"] == "x" * 2048
    assert written < 50_000_000
    assert peak < 50_000_000


async def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * 20_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    async with tcp_server(http_script(head, bomb)) as server, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    assert len(receipt.response["body"].encode()) <= 2048


async def test_a_receiver_that_answers_without_reading_is_heard() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 too much\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    async with (
        tcp_server(deaf, receive_buffer_bytes=4096) as server,
        loopback_transport(timeout_seconds=5) as transport,
    ):
        outbound = hook(f"http://127.0.0.1:{server.port}/", data={"big": "x" * 900_000})
        with pytest.raises(TemporaryFailure) as caught:
            await transport.send(transport.render(outbound))
    assert caught.value.reason == "http_413"


async def test_a_flood_of_early_answers_ends_in_time() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
            await writer.drain()

    failure = await failure_with(flood, timeout_seconds=0.5, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3)
    assert isinstance(failure, TemporaryFailure)


async def test_a_kept_connection_the_receiver_had_closed_is_replaced_within_the_attempt() -> None:
    served = 0

    async def one_answer_then_close_on_the_next_request(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal served
        await read_request(reader)
        writer.write(OK)
        served += 1
        # It reads the next request's first byte and is gone: the race every idle connection runs.
        await reader.readexactly(1)

    async with tcp_server(one_answer_then_close_on_the_next_request) as server, loopback_transport() as transport:
        payload = transport.render(hook(f"http://127.0.0.1:{server.port}/"))
        for _ in range(3):
            await transport.send(payload)
    assert (served, server.connections) == (3, 3)


async def test_a_new_connection_that_breaks_is_not_tried_twice() -> None:
    async with tcp_server(http_script()) as server, loopback_transport() as transport:
        with pytest.raises(TemporaryFailure):
            await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
        assert server.connections == 1


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


def test_times_are_said_in_utc() -> None:
    transport = WebhookTransport(WebhookConf())
    at = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    payload = transport.render(hook("https://example.com/", created_at=at))
    assert json.loads(payload.body)["timestamp"] == "2026-11-21T20:00:00Z"


@pytest.mark.parametrize("secrets", [(), ("whsec_short",), (SECRET, "nonsense")])
def test_without_proper_secrets_nothing_is_sent(secrets: tuple[str, ...]) -> None:
    transport = WebhookTransport(WebhookConf())
    with pytest.raises(PermanentFailure) as caught:
        transport.render(hook("https://example.com/", secrets=secrets))
    assert caught.value.reason == "invalid_secret"


@pytest.mark.parametrize("data", [{"x": object()}, {"x": "\ud800"}, {1.5: {(): 1}}])
def test_what_is_not_json_cannot_be_said(data: dict[Any, Any]) -> None:
    transport = WebhookTransport(WebhookConf())
    with pytest.raises(PermanentFailure) as caught:
        transport.render(hook("https://example.com/", data=data))
    assert caught.value.reason == "unrenderable"


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_networks": ("everything",)},
        {"timeout_seconds": 0},
        {"connect_timeout_seconds": 30},
        {"dns_timeout_seconds": 0},
        {"keepalive_seconds": -1},
        {"max_response_bytes": 1},
        {"max_in_flight": 0},
        {"user_agent": "x\r\ny"},
    ],
)
def test_nonsense_in_the_configuration_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        WebhookConf(**changes)
