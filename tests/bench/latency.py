"""From the POST to the pushed frame: one notification at a time, on the whole product at rest."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

import uvloop
from websockets.asyncio.client import connect

from tests.bench.deliveries import checked
from tests.bench.load import percentile
from tests.bench.processes import answer_order, ask_module, running_platform
from tests.bench.report import Bench

RECIPIENT = "bell-listener"
FRAME_PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.02
UNCOUNTED = 10


def measure(bench: Bench) -> None:
    """200 notifications a round."""
    with running_platform() as platform:
        for number in bench.rounds("latency", 5):
            token = checked(platform, "POST", f"/v1/recipients/{RECIPIENT}/tokens", {})["token"]
            order = {
                "url": platform.url,
                "api_key": platform.api_key,
                "token": token,
                "count": 50 if bench.quick else 200,
            }
            answer = ask_module("tests.bench.latency", order)
            for since in ("202", "POST"):
                seconds = sorted(answer[since])
                for name, share in (("p50", 0.5), ("p99", 0.99)):
                    bench.add(f"socket {name} from {since}", "ms", percentile(seconds, share) * 1000)
            answered = sorted(answer["answered"])
            bench.note("socket p50 from POST", "POST to 202, p50 ms", percentile(answered, 0.5) * 1000)
            bench.say(
                f"latency, round {number}: 202 to socket p50 {bench.series['socket p50 from 202'].values[-1]:.1f} ms, "
                f"p99 {bench.series['socket p99 from 202'].values[-1]:.1f} ms"
            )
    for since in ("202", "POST"):
        for name in ("p50", "p99"):
            bench.show(f"socket {name} from {since}")


async def watch(url: str, api_key: str, token: str, count: int) -> dict[str, list[float]]:
    """Post and wait for the frame, `count` times; seconds from the 202, from the POST, and from POST to 202."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    request = _request(parts.netloc, api_key)
    times: dict[str, list[float]] = {"202": [], "POST": [], "answered": []}
    async with connect(f"ws://{parts.netloc}/ws/inbox", compression=None, proxy=None) as socket:
        await socket.send(json.dumps({"id": 1, "connect": {"token": token}}))
        answer = json.loads(await socket.recv())
        assert "connect" in answer, answer
        for number in range(count + UNCOUNTED):
            pushed = asyncio.create_task(_next_message(socket))
            await asyncio.sleep(PAUSE_SECONDS)
            posted = time.perf_counter()
            writer.write(request)
            await _read_accepted(reader)
            accepted = time.perf_counter()
            frame = await asyncio.wait_for(pushed, FRAME_PATIENCE_SECONDS)
            if number >= UNCOUNTED:
                times["202"].append(frame - accepted)
                times["POST"].append(frame - posted)
                times["answered"].append(accepted - posted)
    writer.close()
    return times


async def _next_message(socket: Any) -> float:
    """When the next new message was pushed; position frames are let pass."""
    while json.loads(await socket.recv()).get("event") != "message.created":
        pass
    return time.perf_counter()


def _request(host: str, api_key: str) -> bytes:
    body = json.dumps({"recipients": [RECIPIENT], "channels": ["in_app"], "content": {"title": "Ding", "body": "Dong"}})
    return (
        f"POST /v1/notifications HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _read_accepted(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 202 "), head
    await reader.readexactly(int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0]))


def run(order: dict[str, Any]) -> dict[str, list[float]]:
    """In a process that does nothing else."""
    return uvloop.run(watch(**order))


if __name__ == "__main__":
    answer_order(run)
