"""What one trouble-maker costs the others: a receiver that hangs among a hundred, and another project's broadcast.

Both run on the whole product. Latency is from just before the POST to the arrival at the receiver, on one machine's clock.
"""

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psycopg
import uvloop

from deploy.launcher.postgres import EmbeddedPostgres
from tests.bench.deliveries import checked
from tests.bench.load import percentile
from tests.bench.processes import answer_order, ask_module, running_platform
from tests.bench.report import Bench, Goal
from tests.fixtures.platform import Platform

ENDPOINTS: Final = 100
BROADCAST: Final = 1_000_000
QUICK_BROADCAST: Final = 50_000
PAUSE_SECONDS: Final = 0.03
LAST_SECONDS: Final = 10.0

_BROADCAST: Final = """
    WITH project AS (INSERT INTO notifications_project (id, name) VALUES (uuidv7(), 'broadcast') RETURNING id),
    said AS (
        INSERT INTO notifications_notification (id, project_id, status, recipients, content, channels, data, metadata, available_at)
        SELECT uuidv7(), id, 'routed', '[]', '{"title": "All", "body": "of you"}', '{in_app}', '{}', '{}', NULL FROM project
        RETURNING id, project_id),
    people AS (
        INSERT INTO notifications_recipient (id, project_id, external_id, data)
        SELECT uuidv7(), id, 'p' || n, '{}' FROM project, generate_series(1, %s) n RETURNING id)
    INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, state, available_at)
    SELECT uuidv7(), said.project_id, said.id, people.id, 'in_app', 'queued', now() FROM said, people"""


def measure(bench: Bench) -> None:
    """Each figure beside the same without its trouble-maker, in the same round."""
    with running_platform() as platform:
        for number in bench.rounds("one hangs", 3):
            for hanging in (False, True):
                name = "p95, one of 100 hangs" if hanging else "p95, all well"
                _add(bench, name, _ask(bench, platform, f"r{number}{'h' if hanging else 'w'}", hanging, ENDPOINTS))
    bench.compare("p95, one of 100 hangs", "p95, all well", Goal(1.3, "<= 1.3 x", below=True))
    with running_platform() as platform:
        _add(bench, "p95, alone", _ask(bench, platform, "alone", False, 1))
        size = QUICK_BROADCAST if bench.quick else BROADCAST
        bench.say(f"isolation: a broadcast of {size:,} is queued")
        server = EmbeddedPostgres(platform.data_dir)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(_BROADCAST, (size,))
            _add(bench, "p95, beside a broadcast", _ask(bench, platform, "beside", False, 1))
            row = connection.execute("SELECT count(*) FROM delivery_delivery WHERE state = 'queued'").fetchone()
            bench.note("p95, beside a broadcast", "still queued at the end", float(row[0]) if row else 0.0)
    bench.compare("p95, beside a broadcast", "p95, alone", Goal(2.0, "<= 2 x", below=True))


def _add(bench: Bench, name: str, seconds: list[float]) -> None:
    bench.add(name, "ms", percentile(sorted(seconds), 0.95) * 1000)
    bench.note(name, "p50, ms", percentile(sorted(seconds), 0.5) * 1000)
    bench.say(f"{name}: {bench.series[name].values[-1]:.1f} ms")


def _ask(bench: Bench, platform: Platform, prefix: str, hanging: bool, endpoints: int) -> list[float]:
    order = {
        "url": platform.url,
        "api_key": platform.api_key,
        "prefix": prefix,
        "hanging": hanging,
        "endpoints": endpoints,
        "count": 100 if bench.quick else 400,
    }
    answer: list[float] = ask_module("tests.bench.isolation", order)
    checked(platform, "GET", "/readyz")
    return answer


async def watch(url: str, api_key: str, prefix: str, hanging: bool, endpoints: int, count: int) -> list[float]:
    """Send one message after another to the endpoints in turn; seconds to arrival of those that do not hang."""
    posted: dict[str, float] = {}
    arrived: dict[str, float] = {}
    closing = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            length = int(head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0])
            body = json.loads(await reader.readexactly(length))
            if head.startswith(b"POST /hang"):
                await closing.wait()
                return
            arrived[body["data"]["notification_id"]] = time.perf_counter()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        for number in range(endpoints):
            path = "hang" if hanging and number == 0 else "well"
            name = f"{prefix}-{number}"
            (await client.put(f"/v1/recipients/{name}", json={})).raise_for_status()
            endpoint = {"channel": "webhook", "url": f"http://127.0.0.1:{port}/{path}/{number}"}
            (await client.post(f"/v1/recipients/{name}/endpoints", json=endpoint)).raise_for_status()
        for turn in range(count):
            recipients = [f"{prefix}-{turn % endpoints}"]
            if hanging and turn % 10 == 0:  # ten times its share, so that more than its places are asked for
                await _post(client, [f"{prefix}-0"])
            began = time.perf_counter()
            notification = await _post(client, recipients)
            if not (hanging and turn % endpoints == 0):
                posted[notification] = began
            await asyncio.sleep(PAUSE_SECONDS)
        deadline = time.perf_counter() + LAST_SECONDS
        while posted.keys() - arrived.keys() and time.perf_counter() < deadline:  # noqa: ASYNC110 - looks, for ten seconds at most
            await asyncio.sleep(0.05)
    closing.set()
    await asyncio.sleep(0.1)
    missing = posted.keys() - arrived.keys()
    if missing:
        raise RuntimeError(f"{len(missing)} of {len(posted)} messages did not arrive within {LAST_SECONDS:g} s")
    return [arrived[notification] - began for notification, began in posted.items()]


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # also the end of the loop
        return b""


async def _post(client: httpx.AsyncClient, recipients: list[str]) -> str:
    body: dict[str, Any] = {
        "recipients": recipients,
        "channels": ["webhook"],
        "content": {"title": "Ding", "body": "x"},
    }
    answer = (await client.post("/v1/notifications", json=body)).raise_for_status()
    notification: str = answer.json()["id"]
    assert urlsplit(str(answer.url)).path == "/v1/notifications"
    return notification


def run(order: dict[str, Any]) -> list[float]:
    """In a process that does nothing else."""
    return uvloop.run(watch(**order))


if __name__ == "__main__":
    answer_order(run)
