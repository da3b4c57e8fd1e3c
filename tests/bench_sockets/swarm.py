"""All clients of one server, in several processes: started here, told what to do, asked what they saw."""

import itertools
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tests.bench_sockets.client import Dialect
from tests.bench_sockets.obedient import Obedient

POLL_SECONDS: Final = 0.05
SOURCES: Final = [f"127.0.1.{number}" for number in range(1, 9)]


@dataclass(frozen=True)
class Connected:
    """What connecting came to."""

    ready: int
    seconds: float


class Swarm:
    """`processes` client processes; a context manager."""

    def __init__(self, processes: int) -> None:
        self._count = processes

    def __enter__(self) -> "Swarm":
        self._processes = [Obedient("tests.bench_sockets.client") for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.end()

    def connect(self, host: str, port: int, clients: Path, count: int, dialect: Dialect) -> Connected:
        """Open a socket for each of the first `count` lines of the file; waits until all were answered."""
        bounds = [count * number // self._count for number in range(self._count + 1)]
        order = {"host": host, "port": port, "sources": SOURCES, "clients": str(clients), "dialect": asdict(dialect)}
        answers = self._tell(
            [{"do": "connect", "begin": begin, "end": end, **order} for begin, end in itertools.pairwise(bounds)]
        )
        began, ended = min(each["began"] for each in answers), max(each["ended"] for each in answers)
        return Connected(sum(each["ready"] for each in answers), ended - began)

    def wait_for(self, mark: int, count: int, patience_seconds: float) -> float:
        """When the last of `count` clients saw this mark."""
        deadline = time.monotonic() + patience_seconds
        while True:
            reports = self._ask("report")
            marks = sum(report["marks"].get(str(mark), 0) for report in reports)
            if marks >= count:
                return float(max(report["seen"].get(str(mark), 0.0) for report in reports))
            if time.monotonic() > deadline:
                raise RuntimeError(f"mark {mark} reached {marks} of {count} clients: {self.closed() or ''}")
            time.sleep(POLL_SECONDS)

    def seen(self) -> dict[int, float]:
        """When each mark was seen, since the last `reset`."""
        return {int(mark): at for report in self._ask("report") for mark, at in report["seen"].items()}

    def reset(self) -> None:
        """Forget marks."""
        self._ask("reset")

    def leave(self) -> None:
        """End all sockets."""
        self._ask("leave")

    def closed(self) -> Counter[str]:
        """Why sockets ended that were not to."""
        return sum((Counter(report["closed"]) for report in self._ask("report")), Counter())

    def reports(self) -> list[dict[str, Any]]:
        """What each process has to say."""
        return self._ask("report")

    def offsets(self) -> dict[int, int]:
        """The last offset of each client."""
        return {int(number): at for each in self._ask("offsets") for number, at in each["offsets"].items()}

    def _ask(self, what: str) -> list[dict[str, Any]]:
        return self._tell([{"do": what}] * self._count)

    def _tell(self, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for process, order in zip(self._processes, orders, strict=True):
            process.order(order)
        return [process.answer() for process in self._processes]
