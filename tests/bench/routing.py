"""Recipients routed per second through a workflow, beside the raw COPY of the same rows; and whether memory grows with a topic."""

import json
import subprocess
import sys
from typing import Final

from tests.bench.processes import ROOT, Servers
from tests.bench.report import Bench, Goal

MEMBERS: Final = 100_000
SIZES: Final = (1_000, 10_000, 1_000_000)
LIMIT_SECONDS: Final = 900


def measure(bench: Bench) -> None:
    """Each size in a fresh process on one database; the goal is for a topic of a hundred thousand."""
    with Servers() as servers:
        for _ in bench.rounds("routing", 3):
            _add(bench, servers, 10_000 if bench.quick else MEMBERS)
        for members in SIZES[:2] if bench.quick else SIZES:
            grown = _ask(servers, members)["grown_mb"]
            bench.add(f"memory beyond the start, {members:,} members", "MB", grown)
            bench.show(f"memory beyond the start, {members:,} members")
    bench.compare("recipients routed", "recipients by COPY", Goal(0.25, ">= 0.25 x"))


def _add(bench: Bench, servers: Servers, members: int) -> None:
    told = _ask(servers, members)
    bench.add("recipients by COPY", "recipients/s", members / told["copy"])
    bench.add("recipients routed", "recipients/s", members / told["route"])
    bench.note("recipients routed", "MB beyond the start", told["grown_mb"])


def _ask(servers: Servers, members: int) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.router", str(members)],
        cwd=ROOT,
        env=servers.env,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(ran.stderr[-3000:])
    told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return told
