"""Files from strangers: guarded, bounded, shared."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from delivery.transports.base import DeliveryError, PermanentFailure, TemporaryFailure
from delivery.transports.fetch import FetchConf, Fetcher
from delivery.transports.resolver import GuardedResolver
from tests.delivery.transports.file_servers import FileServer, file_server, resolver


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[FileServer]:
    async with file_server(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def fetcher_of(conf: FetchConf, named: GuardedResolver | None = None) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(conf, named or resolver())
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


async def failure(server: FileServer, url: str, named: GuardedResolver | None = None, **changes: Any) -> DeliveryError:
    async with fetcher_of(server.conf(**changes), named) as fetcher:
        with pytest.raises(DeliveryError) as caught:
            await fetcher.fetch(url)
    return caught.value


async def test_a_file_as_it_is_and_without_anything_of_ours(server: FileServer) -> None:
    content = bytes(range(256)) * 1000
    server.files["/a.bin"] = content
    async with fetcher_of(server.conf(user_agent="Carillon/1")) as fetcher:
        assert (await fetcher.fetch(server.url("/a.bin?x=1"))).content == content
    (request,) = server.requests
    assert request.headers["User-Agent"] == "Carillon/1"
    assert not {"Cookie", "Authorization", "Referer"} & set(request.headers)


async def test_a_broadcast_asks_once(server: FileServer) -> None:
    server.files["/a"] = b"a"
    async with fetcher_of(server.conf()) as fetcher:
        found = await asyncio.gather(*(fetcher.fetch(server.url("/a")) for _ in range(50)))
        assert await fetcher.fetch(server.url("/a")) is found[0]
    assert server.asked["/a"] == 1


async def test_a_failure_is_shared_as_well(server: FileServer) -> None:
    async with fetcher_of(server.conf()) as fetcher:
        failed = await asyncio.gather(*(fetcher.fetch(server.url("/no")) for _ in range(20)), return_exceptions=True)
        assert {getattr(error, "reason", None) for error in failed} == {"attachment_unavailable"}
    assert server.asked["/no"] == 1


async def test_what_was_kept_for_its_time_is_asked_for_again(server: FileServer) -> None:
    server.files["/a"] = b"old"
    async with fetcher_of(server.conf(keep_seconds=0, keep_failures_seconds=0)) as fetcher:
        assert (await fetcher.fetch(server.url("/a"))).content == b"old"
        server.files["/a"] = b"new"
        assert (await fetcher.fetch(server.url("/a"))).content == b"new"
        del server.files["/a"]
        with pytest.raises(TemporaryFailure):
            await fetcher.fetch(server.url("/a"))


async def test_no_more_is_kept_than_there_is_room_for(server: FileServer) -> None:
    for name in "abc":
        server.files[f"/{name}"] = b"x" * 1000
    async with fetcher_of(server.conf(keep_bytes=2500)) as fetcher:
        for name in "abcba":
            await fetcher.fetch(server.url(f"/{name}"))
    assert server.asked == {"/a": 2, "/b": 1, "/c": 1}


async def test_who_gives_up_does_not_take_the_file_from_the_others(server: FileServer) -> None:
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asked.set()
        await goes_on.wait()
        return web.Response(body=b"late")

    server.files["/a"] = slow
    async with fetcher_of(server.conf()) as fetcher:
        first, second = (asyncio.create_task(fetcher.fetch(server.url("/a"))) for _ in range(2))
        await asked.wait()
        first.cancel()
        goes_on.set()
        assert (await second).content == b"late"
        with pytest.raises(asyncio.CancelledError):
            await first


@pytest.mark.parametrize("status", [201, 204, 301, 404, 410, 429, 500])
async def test_another_status_may_be_better_later(server: FileServer, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": server.url("/other")})

    server.files |= {"/a": answer, "/other": b"other"}
    error = await failure(server, server.url("/a"))
    assert isinstance(error, TemporaryFailure)
    assert (error.reason, error.response["status"]) == ("attachment_unavailable", status)
    assert server.asked["/other"] == 0  # a redirect leads nowhere


async def test_a_host_that_drips_is_left(server: FileServer) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.01)
        return response

    server.files["/a"] = drip
    error = await failure(server, server.url("/a"), timeout_seconds=0.5)
    assert isinstance(error, TemporaryFailure)
    assert error.reason == "attachment_unavailable"


async def test_a_file_that_does_not_end_is_cut(server: FileServer) -> None:
    written = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 10_000)
                written += 10_000
        return response

    server.files["/a"] = endless
    error = await failure(server, server.url("/a"), max_bytes=100_000)
    assert isinstance(error, PermanentFailure)
    assert error.reason == "attachments_too_large"
    assert written < 50_000_000


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://169.254.169.254/latest",
        "https://localhost/a",
        "https://0x7f.1/a",
    ],
)
async def test_forbidden_literals(url: str) -> None:
    async with fetcher_of(FetchConf()) as fetcher:
        with pytest.raises(PermanentFailure) as caught:
            await fetcher.fetch(url)
    assert caught.value.reason == "attachment_refused"


async def test_a_name_that_leads_inside_is_refused(server: FileServer) -> None:
    server.files["/a"] = b"secret"
    error = await failure(server, server.url("/a"), resolver(allow=()), allow_networks=())
    assert isinstance(error, PermanentFailure)
    assert (error.reason, error.response) == ("attachment_refused", {"error": "forbidden_address"})
    assert not server.asked


async def test_a_stranger_with_no_certificate_is_not_believed(server: FileServer) -> None:
    server.files["/a"] = b"a"
    error = await failure(server, server.url("/a"), ca_file=None)
    assert isinstance(error, TemporaryFailure)
    assert not server.asked


async def test_proxies_of_the_environment_are_not_used(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["/a"] = b"a"
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with fetcher_of(server.conf()) as fetcher:
        assert (await fetcher.fetch(server.url("/a"))).content == b"a"
