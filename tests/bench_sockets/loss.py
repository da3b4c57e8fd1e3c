"""Does a socket miss anything? Clients that drop at random, server and Redis restarts, a layer that swallows everything.

    python -m tests.bench_sockets.loss --output tests/bench_sockets/results/loss.json

The whole product runs, started by its launcher; its way to Redis leads through a port on which everything can vanish.
Messages go through the API and the workers. At the end every client has seen every offset of its inbox once and in order,
and the messages it was told are those in PostgreSQL. Exit status 1 when that is not so.
"""

import argparse
import asyncio
import random
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench.processes import forget_operator_settings
from tests.bench_sockets.__main__ import allow_all_files
from tests.bench_sockets.loss_run import LossRun, Trouble
from tests.chaos.report import Report
from tests.chaos.rig import bars

SECONDS_PER_FAULT: Final = 25.0


async def run(trouble: Trouble) -> Report:
    """Do it all; nothing is left when it returns, or is cancelled."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="carillon-loss-") as folder, bars(console=console) as progress:
        return await LossRun(trouble, Path(folder), progress).go()


def main() -> int:
    """Run, show, keep."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench_sockets.loss", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--server-restarts", type=int, default=5)
    parser.add_argument("--redis-restarts", type=int, default=3)
    parser.add_argument("--black-hole", type=float, default=20.0, help="seconds")
    parser.add_argument("--seconds-per-fault", type=float, default=SECONDS_PER_FAULT)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    forget_operator_settings()
    allow_all_files()
    trouble = Trouble(
        clients=options.clients,
        server_restarts=options.server_restarts,
        redis_restarts=options.redis_restarts,
        black_hole_seconds=options.black_hole,
        seconds_per_fault=options.seconds_per_fault,
        rng=random.Random(options.seed),
    )
    report = asyncio.run(run(trouble))
    report.head = {"command": " ".join(["python -m tests.bench_sockets.loss", *sys.argv[1:]]), "seed": options.seed}
    Console(width=None if sys.stdout.isatty() else 120).print(report.table())
    for check in report.violated:
        print(f"violated: {check.name} is {check.value}, to reach: {check.goal}", *check.details, sep="\n    ")
    if options.output:
        report.write(options.output)
        print(f"report: {options.output}")
    return 1 if report.violated else 0


if __name__ == "__main__":
    sys.exit(main())
