"""What a plain client makes of the same receiver: no database, no signature, no retries, nothing remembered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiosmtplib
import httpx
import uvloop
from httpx_aiohttp import AiohttpTransport

from tests.bench.processes import answer_order

HTTP_IN_FLIGHT = 100
SMTP_CONNECTIONS = 4


async def post_all(port: int, count: int, body: str) -> float:
    """One httpx client, its pool kept, 100 requests in flight."""
    content, headers = body.encode("latin-1"), {"Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=AiohttpTransport(), trust_env=False, timeout=30) as client:

        async def post(number: int) -> None:
            response = await client.post(f"http://127.0.0.1:{port}/user-{number:05}", content=content, headers=headers)
            response.raise_for_status()

        started = time.monotonic()
        await _share(count, [post] * HTTP_IN_FLIGHT)
    return started


async def mail_all(port: int, count: int, body: str) -> float:
    """Four connections, each kept for its share of the messages."""
    message = body.encode("latin-1")
    clients = [
        aiosmtplib.SMTP(hostname="127.0.0.1", port=port, local_hostname="bare.test", start_tls=False)
        for _ in range(SMTP_CONNECTIONS)
    ]
    for client in clients:
        await client.connect()

    def sender(client: aiosmtplib.SMTP) -> Callable[[int], Awaitable[None]]:
        async def send(number: int) -> None:
            await client.sendmail("carillon@localhost", [f"user-{number:05}@example.com"], message)

        return send

    started = time.monotonic()
    await _share(count, [sender(client) for client in clients])
    for client in clients:
        await client.quit()
    return started


async def _share(count: int, workers: list[Callable[[int], Awaitable[None]]]) -> None:
    numbers = iter(range(count))

    async def work(send: Callable[[int], Awaitable[None]]) -> None:
        for number in numbers:
            await send(number)

    await asyncio.gather(*(work(send) for send in workers))


def run(order: dict[str, Any]) -> dict[str, float]:
    """When the first was sent."""
    loop = {"webhook": post_all, "email": mail_all}[order.pop("kind")]
    return {"started": uvloop.run(loop(**order))}


if __name__ == "__main__":
    answer_order(run)
