"""One round of one server: what is measured, in which order."""

import time
from statistics import median
from typing import Final

import psutil

from tests.bench.load import percentile
from tests.bench.processes import tree_memory_mb
from tests.bench.report import Bench
from tests.bench_sockets.contender import Contender
from tests.bench_sockets.swarm import Swarm

WARM_UP: Final = 200
SETTLE_SECONDS: Final = 3.0
BROADCASTS: Final = 3
RATE: Final = 200.0
PATIENCE_SECONDS: Final = 60.0
FIRST_UNICAST: Final = 1_000_000


class Round:
    """One server with `count` sockets, from its start to its end."""

    def __init__(self, bench: Bench, contender: Contender, swarm: Swarm, count: int) -> None:
        self._bench = bench
        self._server = contender
        self._swarm = swarm
        self._count = count

    def everything(self) -> None:
        """Connects, memory, broadcasts, then messages to one."""
        self.connect()
        self.broadcast()
        self.unicast()

    def connect(self) -> None:
        """Sockets are opened from both sides of the memory's measurement, so that what is loaded once is in neither."""
        self._open(WARM_UP)
        self._swarm.leave()
        time.sleep(SETTLE_SECONDS)
        before = self._memory()
        connected = self._open(self._count)
        self._add("connects", "/s", self._count / connected)
        time.sleep(SETTLE_SECONDS)
        self._add("memory per socket", "KB", (self._memory() - before) * 1024 / self._count)

    def broadcast(self) -> None:
        """Until the last client has it; the first is not counted."""
        times = []
        for mark in range(BROADCASTS + 1):
            began = self._server.broadcast(mark)
            times.append(self._swarm.wait_for(mark, self._count, PATIENCE_SECONDS) - began)
            time.sleep(0.5)
        self._add("broadcast", "s", median(times[1:]))

    def unicast(self) -> None:
        """200 messages a second, each to another client, and what that costs the server."""
        seconds = 3.0 if self._bench.quick else 10.0
        count = int(seconds * RATE)
        self._server.unicast(FIRST_UNICAST, int(RATE), RATE)
        self._swarm.reset()
        cpu, helpers, began = self._cpu(), self._server.helpers_cpu(), time.monotonic()
        first = FIRST_UNICAST + int(RATE)
        sent = self._server.unicast(first, count, RATE)
        took = time.monotonic() - began
        cpu, helpers = self._cpu() - cpu, self._server.helpers_cpu() - helpers
        self._swarm.wait_for(first + count - 1, 1, PATIENCE_SECONDS)
        seen = self._swarm.seen()
        if missing := sent.keys() - seen.keys():
            raise RuntimeError(f"{self._server.name}: {len(missing)} of {count} messages did not arrive")
        latencies = sorted(seen[mark] - at for mark, at in sent.items())
        self._add("unicast p50", "ms", percentile(latencies, 0.5) * 1000)
        self._add("unicast p99", "ms", percentile(latencies, 0.99) * 1000)
        self._add("CPU at 200 messages/s", "%", 100 * cpu / took)
        if helpers:
            self._bench.note(self._name("CPU at 200 messages/s"), "its Redis, %", 100 * helpers / took)

    def finish(self) -> None:
        """All were there to the end."""
        if closed := self._swarm.closed():
            raise RuntimeError(f"{self._server.name}: sockets ended: {dict(closed)}")
        if faults := [fault for report in self._swarm.reports() for fault in report["faults"]]:
            raise RuntimeError(f"{self._server.name}: {faults[:5]}")

    def _open(self, count: int) -> float:
        server = self._server
        connected = self._swarm.connect(server.host, server.port, server.clients, count, server.dialect)
        if connected.ready != count:
            raise RuntimeError(f"{server.name}: {connected.ready} of {count} connected, {dict(self._swarm.closed())}")
        return connected.seconds

    def _memory(self) -> float:
        return sum(tree_memory_mb(self._server.pid).values())

    def _cpu(self) -> float:
        top = psutil.Process(self._server.pid)
        times = [each.cpu_times() for each in (top, *top.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    def _add(self, figure: str, unit: str, value: float) -> None:
        self._bench.add(self._name(figure), unit, value)
        self._bench.say(f"{self._name(figure)}: {value:,.3g} {unit}")

    def _name(self, figure: str) -> str:
        return f"{figure}: {self._server.name}"
