"""A real process: proxies of its environment lead nowhere, and hostile receivers cost it neither memory nor time."""

import asyncio
import contextlib
import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.delivery.transports.servers import Handle, http_script, read_request, tcp_server
from tests.delivery.transports.webhook.receivers import OK, receiver

LIMIT_SECONDS = 100.0
TIMEOUT_SECONDS = 5.0
SLACK_SECONDS = 10.0  # what a loaded machine may add to an attempt's own limits


async def send_from_a_process(
    urls: list[str], *, environment: dict[str, str] | None = None, allow: tuple[str, ...] = ("127.0.0.0/8",)
) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.delivery.transports.webhook.sender",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    asked = {"urls": urls, "allow": allow, "timeout_seconds": TIMEOUT_SECONDS}
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            said, _ = await process.communicate(json.dumps(asked).encode())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    answer: dict[str, Any] = json.loads(said)
    return answer


async def test_nothing_in_the_environment_leads_elsewhere(tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password sesame\ndefault login ada password sesame\n")
    netrc.chmod(0o600)
    async with receiver() as proxy, receiver() as there:
        names = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "ftp_proxy")
        environment = dict.fromkeys(names, f"http://127.0.0.1:{proxy.port}")
        environment |= {name.upper(): value for name, value in environment.items()}
        environment |= {"NO_PROXY": "", "no_proxy": "", "NETRC": str(netrc), "HOME": str(tmp_path)}
        urls = [there.url(), "http://10.0.0.1/", "https://169.254.169.254/latest/meta-data"]
        answer = await send_from_a_process(urls, environment=environment)
        assert [word for word, _ in answer["outcomes"]] == ["accepted", "forbidden_address", "forbidden_address"]
        assert not proxy.requests
        ((headers, _),) = there.requests
    assert headers.keys() == {
        "host", "accept", "accept-encoding", "content-type", "content-length", "user-agent", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    }  # fmt: skip


async def test_a_redirect_to_the_inside_is_not_followed() -> None:
    async with receiver() as inside:
        places = [inside.url(), "http://169.254.169.254/", "//127.0.0.1/", "file:///etc/passwd", "/again"]
        async with contextlib.AsyncExitStack() as stack:
            urls = []
            for status, place in zip((301, 302, 303, 307, 308), places, strict=True):
                there = await stack.enter_async_context(receiver(status=status, headers={"location": place}))
                urls.append(there.url())
            answer = await send_from_a_process(urls)
        assert [word for word, _ in answer["outcomes"]] == ["redirect"] * 5
        assert not inside.requests


async def hostile(stack: contextlib.AsyncExitStack, handle: Handle) -> str:
    server = await stack.enter_async_context(tcp_server(handle))
    return f"http://127.0.0.1:{server.port}/"


def endless(head: bytes, part: bytes) -> Handle:
    """Answers with `head` and then with `part` for as long as anybody listens."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)

    return handle


def drip(head: bytes, part: bytes) -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.1)

    return handle


async def test_hostile_answers_cost_little_memory_and_end_in_time() -> None:
    bomb = gzip.compress(bytes(300_000_000), compresslevel=1)
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    receivers = {
        "accepted": [
            http_script(OK),
            endless(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", b"x" * 65536),
            endless(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk),
            http_script(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb), bomb),
            http_script(b"HTTP/1.1 200 OK\r\ncontent-encoding: br, gzip\r\nconnection: close\r\n\r\n", bomb),
            drip(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", b"x"),
        ],
        "failed": [
            endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
            endless(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 2000),
            endless(b"HTTP/1.1 200 OK\r\n", b"x-more: and more\r\n" * 3000),
            endless(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 65536),
            endless(b"HTTP/1.1 200 ", b"x" * 65536),
            drip(b"HTTP/1.1 200 OK\r\n", b"x"),
            http_script(hang_after=True),
        ],
    }
    async with contextlib.AsyncExitStack() as stack:
        expected = [word for word, handles in receivers.items() for _ in handles]
        urls = [await hostile(stack, handle) for handles in receivers.values() for handle in handles]
        answer = await send_from_a_process(urls)
    words = ["accepted" if word == "accepted" else "failed" for word, _ in answer["outcomes"]]
    assert max(seconds for _, seconds in answer["outcomes"]) < TIMEOUT_SECONDS + SLACK_SECONDS
    assert answer["grown_mib"] < 100
    assert words[: len(expected)] == expected, answer["outcomes"]
