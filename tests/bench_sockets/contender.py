"""What the benchmark asks of each server, and the wording that all of them send."""

import json
from pathlib import Path
from typing import Any, Protocol

import psutil

from tests.bench_sockets.client import Dialect


class Contender(Protocol):
    """One server process, started and stopped by its context, with as many clients as it was made for."""

    name: str
    host: str
    port: int
    pid: int
    dialect: Dialect
    clients: Path
    """A line of JSON for each client: `path`, `greeting`."""

    def __enter__(self) -> "Contender": ...

    def __exit__(self, *exc: object) -> None: ...

    def broadcast(self, mark: int) -> float:
        """Publish to everybody; the time just before."""
        ...

    def unicast(self, first: int, count: int, rate: float) -> dict[int, float]:
        """Publish `count` messages, each to another client; the time just before each."""
        ...

    def helpers_cpu(self) -> float:
        """CPU seconds of servers without which this one delivers nothing (Redis)."""
        ...


def wording(mark: int) -> str:
    """A message as long as one of Carillon's frames; the other servers send it as it is."""
    message: dict[str, Any] = {
        "id": "msg_01kagxrhn5fqs9v9c1nmfv7rzs",
        "offset": 1042,
        "title": f"Order mark-{mark};",
        "body": "Your parcel is on its way and should arrive on **Thursday**.\n\nTrack it any time.",
        "action_url": "https://shop.example.com/orders/1042",
        "category": None,
        "actor": None,
        "data": {},
        "created_at": "2026-01-01T00:00:00.000000Z",
        "seen_at": None,
        "read_at": None,
        "archived_at": None,
    }
    return json.dumps(
        {"event": "message.created", "offset": 1042, "message": message, "counts": {"unread": 42, "unseen": 42}},
        separators=(",", ":"),
    )


def write_clients(file: Path, count: int, path: str, greeting: str = "") -> None:
    """A line for each client; `{n}` in them is its number."""
    with file.open("w") as lines:
        for number in range(count):
            client = {"path": path.replace("{n}", str(number)), "greeting": greeting.replace("{n}", str(number))}
            lines.write(json.dumps(client) + "\n")


def cpu_of_valkey() -> float:
    """CPU seconds of the one Valkey that this process has started."""
    [server] = [each for each in psutil.Process().children() if "valkey" in each.name()]
    times = server.cpu_times()
    return times.user + times.system
