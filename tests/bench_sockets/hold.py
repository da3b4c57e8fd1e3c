"""Forty thousand sockets over several processes, held with live traffic: nobody is closed, and everybody has everything.

    python -m tests.bench_sockets --hold

While they are held, 100 messages a second go to one recipient each, and every minute one goes to all. At the end each
client must stand where its inbox stands in PostgreSQL, having seen every offset once and in order.
"""

import json
import shlex
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
from rich.progress import Progress

from deploy.launcher import children
from tests.bench.processes import Child, Servers, open_listener, tree_memory_mb
from tests.bench_sockets.carillon import Carillon
from tests.bench_sockets.obedient import Obedient
from tests.bench_sockets.swarm import Swarm

CLIENT_PROCESSES: Final = 4
RATE: Final = 100.0
FIRST_MARK: Final = 1_000_000
SLICE_SECONDS: Final = 60.0
ARRIVAL_SECONDS: Final = 120.0


def hold(sockets: int, processes: int, minutes: float, progress: Progress) -> dict[str, Any]:
    """The report, as JSON would have it; `passed` is the verdict."""
    with Servers() as servers:
        listener = open_listener("127.0.0.1", 0)
        host, port = listener.getsockname()[:2]
        webs = [
            Child(children.web(number, listener.fileno(), servers.env), servers.folder / f"web.{number}.log")
            for number in range(processes)
        ]
        listener.close()
        publisher = Obedient("tests.bench_sockets.carillon_publisher", servers.env)
        try:
            clients = servers.folder / "clients.ndjson"
            publisher.do("people", count=sockets, file=str(clients))
            with Swarm(CLIENT_PROCESSES) as swarm:
                before = _memory(webs)
                connected = swarm.connect(host, port, clients, sockets, Carillon.dialect)
                progress.console.print(f"{connected.ready:,} sockets after {connected.seconds:.1f} s")
                memory = _memory(webs) - before
                traffic = _traffic(publisher, swarm, sockets, minutes * 60, progress)
                return {
                    "started": datetime.now(UTC).isoformat(timespec="seconds"),
                    "command": shlex.join(["python", "-m", "tests.bench_sockets", *sys.argv[1:]]),
                    "machine": {"cores": psutil.cpu_count(), "memory_mb": psutil.virtual_memory().total // 2**20},
                    "sockets": sockets,
                    "server_processes": processes,
                    "sockets_by_process": [_sockets_of(web) for web in webs],
                    "connect_seconds": round(connected.seconds, 1),
                    "server_memory_kb_per_socket": round(memory * 1024 / sockets, 1),
                    **traffic,
                    **_verdict(publisher, swarm, sockets, connected.ready),
                }
        finally:
            publisher.end()
            for web in webs:
                web.stop()


def write(report: dict[str, Any], file: Path) -> None:
    """Keep the report."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n")


def _traffic(publisher: Obedient, swarm: Swarm, sockets: int, seconds: float, progress: Progress) -> dict[str, Any]:
    """By the minute: messages to one, then one to all."""
    task = progress.add_task("held", total=seconds)
    sent, broadcasts, slowest, started = 0, 0, 0.0, time.monotonic()
    while (left := seconds - (time.monotonic() - started)) > 0:
        part = min(SLICE_SECONDS, left)
        sent += publisher.do("trickle", first=FIRST_MARK + sent, seconds=part, rate=RATE)["sent"]
        began = publisher.do("broadcast", mark=broadcasts, count=sockets)["began"]
        slowest = max(slowest, swarm.wait_for(broadcasts, sockets, ARRIVAL_SECONDS) - began)
        broadcasts += 1
        progress.update(task, completed=min(seconds, time.monotonic() - started))
        progress.console.print(f"{sent:,} to one, {broadcasts} to all, closed: {dict(swarm.closed())}")
    return {
        "held_seconds": round(time.monotonic() - started, 1),
        "messages_to_one": sent,
        "messages_to_all": broadcasts,
        "slowest_to_all_seconds": round(slowest, 2),
    }


def _verdict(publisher: Obedient, swarm: Swarm, sockets: int, ready: int) -> dict[str, Any]:
    """Whether everybody is there and has everything; waits for what is still on its way."""
    heads: list[int] = publisher.do("offsets")["offsets"]
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        known = swarm.offsets()
        behind = sum(known.get(number, -1) != head for number, head in enumerate(heads))
        if not behind or time.monotonic() > deadline:
            break
        time.sleep(1)
    reports = swarm.reports()
    closed = sum((Counter(report["closed"]) for report in reports), Counter())
    still_open = sum(report["open"] for report in reports)
    faults = [fault for report in reports for fault in report["faults"]]
    return {
        "open_at_the_end": still_open,
        "unexpected_closes": dict(closed),
        "clients_that_missed_something": behind,
        "gaps_or_doubles": faults,
        "changes_received": sum(report["changes"] for report in reports),
        "passed": ready == still_open == sockets and not closed and not behind and not faults,
    }


def _memory(webs: list[Child]) -> float:
    return sum(sum(tree_memory_mb(web.pid).values()) for web in webs)


def _sockets_of(web: Child) -> int:
    """Inbox sockets of one process, by its open files."""
    return len([each for each in psutil.Process(web.pid).net_connections("tcp4") if each.status == "ESTABLISHED"])
