"""The load generator: kept HTTP/1.1 connections, one request in flight on each, in a process of its own.

A raw protocol with requests made in advance, so that it costs a fraction of any server it is pointed at; what it
cost is part of its answer. `run_load` starts it; `python -m tests.bench.load` reads a `Load` from stdin and answers
with a `LoadResult` on stdout.
"""

import asyncio
import contextlib
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from tests.bench.processes import ROOT

MARK = "%RECIPIENT%"
"""Stands in a body for a recipient's id, which is another one in every request made in advance."""
VARIANTS = 4096
DRAIN_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to ask, how often at once and for how long."""

    host: str
    port: int
    path: str
    method: str = "POST"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 64
    warm_up_seconds: float = 1.0
    seconds: float = 5.0
    expected_status: int = 202

    def requests(self) -> list[bytes]:
        """The requests as bytes; every id has the same length, as real ids do more or less."""
        variants = VARIANTS if MARK in self.body else 1
        return [self._request(self.body.replace(MARK, f"user-{number:06}")) for number in range(variants)]

    def _request(self, body: str) -> bytes:
        headers = {"Host": f"{self.host}:{self.port}", **self.headers}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body.encode()))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n{body}".encode()


@dataclass(kw_only=True)
class LoadResult:
    """`counted` answers fell into the measured time; `expected` is all of them, warm-up and end included."""

    per_second: float
    counted: int
    expected: int
    unexpected: dict[str, int]
    example: str
    broken: int
    p50_ms: float
    p99_ms: float
    cpu_seconds: float


class Tally:
    """What all connections have seen."""

    def __init__(self, load: Load) -> None:
        self.status = b"HTTP/1.1 %d " % load.expected_status
        self.expected = 0
        self.broken = 0
        self.unexpected: dict[str, int] = {}
        self.example = ""
        self.latencies: list[float] = []
        self.measuring = False
        self.stopping = False
        self.busy = 0
        self.ended = asyncio.Event()

    def end_one(self) -> None:
        """One connection sends no more."""
        self.busy -= 1
        if self.busy == 0:
            self.ended.set()


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the last one is answered."""

    def __init__(self, tally: Tally, requests: Iterator[bytes]) -> None:
        self._tally = tally
        self._requests = requests
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._tally.busy += 1
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._buffer = data = self._buffer + data if self._buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _content_length(data, end):
            return
        self._buffer = b""
        tally = self._tally
        if data.startswith(tally.status):
            tally.expected += 1
            if tally.measuring:
                tally.latencies.append(time.perf_counter() - self._sent)
        else:
            line = data.split(b"\r\n", 1)[0].decode(errors="replace")
            tally.unexpected[line] = tally.unexpected.get(line, 0) + 1
            tally.example = tally.example or data[end:].decode(errors="replace").strip()
        if tally.stopping:
            self._transport.close()
            tally.end_one()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._tally.stopping:
            self._tally.broken += 1
            self._tally.end_one()


def _content_length(data: bytes, end: int) -> int:
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    assert at >= 0, "the load generator reads answers with a Content-Length only"
    return int(head[at + 17 :].split(b"\r\n", 1)[0])


async def generate(load: Load) -> LoadResult:
    """Warm up, measure, let what is in flight come to its end."""
    tally = Tally(load)
    requests = itertools.cycle(load.requests())
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        await loop.create_connection(lambda: Connection(tally, requests), load.host, load.port)
    await asyncio.sleep(load.warm_up_seconds)
    tally.measuring, cpu, started = True, _cpu_seconds(), time.perf_counter()
    await asyncio.sleep(load.seconds)
    tally.measuring, cpu, took = False, _cpu_seconds() - cpu, time.perf_counter() - started
    tally.stopping = True
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(tally.ended.wait(), DRAIN_SECONDS)
    latencies = sorted(tally.latencies)
    return LoadResult(
        per_second=len(latencies) / took,
        counted=len(latencies),
        expected=tally.expected,
        unexpected=tally.unexpected,
        example=tally.example,
        broken=tally.broken + tally.busy,
        p50_ms=percentile(latencies, 0.5) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        cpu_seconds=cpu,
    )


def percentile(ordered: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run_load(load: Load) -> LoadResult:
    """Run the generator as a process and give what it measured; refuses a measurement in which requests failed."""
    with start_load(load) as process:
        return finish_load(process)


def start_load(load: Load) -> "subprocess.Popen[str]":
    """Begin; for whoever has to look at the server meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(load)) + "\n")
    process.stdin.flush()
    return process


def finish_load(process: "subprocess.Popen[str]") -> LoadResult:
    """Wait for the end of a load that was begun."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the load generator ended with status {process.returncode}")
    result = LoadResult(**json.loads(output))
    if result.unexpected or result.broken or not result.counted:
        raise RuntimeError(f"not a measurement: {result.broken} broken, {result.unexpected} {result.example}")
    return result


def main() -> None:
    """One load from stdin."""
    load = Load(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(uvloop.run(generate(load)))))


if __name__ == "__main__":
    main()
