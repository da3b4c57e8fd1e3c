"""What everything `make up` starts costs at rest, and how long a second start takes."""

import time
from pathlib import Path

from tests.bench.processes import new_data_dir, running_platform, tree_memory_mb
from tests.bench.report import Bench, Goal
from tests.fixtures.platform import Platform, remove_data

SETTLE_SECONDS = 15.0


def measure(bench: Bench) -> None:
    """The first start makes the data directory; the rounds start again on it."""
    data_dir = new_data_dir()
    try:
        first = _start_and_stop(bench, data_dir, count=False)
        for number in bench.rounds("idle", 3):
            _start_and_stop(bench, data_dir, count=True)
            bench.note("second start", "first start, s", first)
            memory, seconds = bench.series["idle memory"].values[-1], bench.series["second start"].values[-1]
            bench.say(f"idle, round {number}: ready after {seconds:.1f} s, {memory:,.0f} MB")
    finally:
        remove_data(data_dir)
    bench.show("idle memory", Goal(800, "below 800 MB", below=True))
    bench.show("second start", Goal(15, "below 15 s", below=True))


def _start_and_stop(bench: Bench, data_dir: Path, *, count: bool) -> float:
    started = time.monotonic()
    with running_platform(data_dir=data_dir) as platform:
        seconds = time.monotonic() - started
        if count:
            bench.add("second start", "s to ready", seconds)
            time.sleep(SETTLE_SECONDS / 3 if bench.quick else SETTLE_SECONDS)
            _weigh(bench, platform)
    return seconds


def _weigh(bench: Bench, platform: Platform) -> None:
    memory = tree_memory_mb(platform.process.pid)
    bench.add("idle memory", "MB PSS", sum(memory.values()))
    roles = {pid: role for role, pids in platform.pids().items() for pid in pids} | {platform.process.pid: "launcher"}
    by_role: dict[str, float] = {}
    for pid, size in memory.items():
        role = roles.get(pid, "postgres backends")
        by_role[role] = by_role.get(role, 0.0) + size
    for role, size in by_role.items():
        bench.note("idle memory", f"MB, {role}", size)
