"""`make chaos`: the whole platform under load while its processes are killed at random; every loss is counted.

    python -m tests.chaos --accepted 20000 --kills 50 --seed 7 --output tests/chaos/results/long.json
    python -m tests.chaos --outage redis-frozen --outage-seconds 60

Exit status 0: every goal met. 1: one was violated. The seed decides requests, faults and their times, but not how the
machine's processes interleave: a violation is looked for in the report, not in a repetition.
"""

import argparse
import asyncio
import secrets
import signal
import sys
from pathlib import Path

from rich.console import Console

from tests.chaos import outages
from tests.chaos.plan import draw
from tests.chaos.report import Report
from tests.chaos.rig import SHARE_OF_DOUBLES, Run, bars

SECONDS_PER_KILL = 7.0
# A recipient's token, which the sockets show again whenever they resume, is good for an hour.
LONGEST_SECONDS = 3000.0


def main() -> int:
    """Run, show, keep."""
    options = _options()
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)
    console.print(f"seed {options.seed}", highlight=False)
    with asyncio.Runner() as runner, bars(console=console) as progress:
        if options.outage:
            work = outages.run(options.outage, seconds=options.outage_seconds, seed=options.seed, progress=progress)
        else:
            plan = draw(seed=options.seed, accepted=options.accepted, kills=options.kills, seconds=options.seconds)
            work = Run(plan, progress=progress, share_of_doubles=options.doubles_percent / 100).go()
        loop = runner.get_loop()

        async def interruptible() -> Report:
            task = asyncio.current_task()
            assert task is not None
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
            return await work

        try:
            report = runner.run(interruptible())
        except (asyncio.CancelledError, KeyboardInterrupt):
            return 130
    Console(width=None if sys.stdout.isatty() else 120).print(report.table())
    for check in report.violated:
        print(f"violated: {check.name} is {check.value}, to reach: {check.goal}")
        for line in check.details:
            print(f"    {line}")
    if options.output:
        report.write(options.output)
        print(f"report: {options.output}")
    return 1 if report.violated else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--accepted", type=int, default=3000, help="notifications to be accepted")
    parser.add_argument("--kills", type=int, default=12, help="faults, of every kind about equally many")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="drawn when not given")
    parser.add_argument("--seconds", type=float, help=f"of load; {SECONDS_PER_KILL:g} per fault when not given")
    parser.add_argument("--output", type=Path, help="file for the report (JSON)")
    parser.add_argument(
        "--doubles-percent",
        type=float,
        default=100 * SHARE_OF_DOUBLES,
        help="webhooks that may come twice because of kills; a short run needs more room than a long one",
    )
    parser.add_argument("--outage", choices=outages.KINDS, help="instead: one server away under load")
    parser.add_argument("--outage-seconds", type=float, default=60.0)
    options = parser.parse_args()
    options.seconds = options.seconds or SECONDS_PER_KILL * max(options.kills, 1)
    if options.accepted < 1 or options.kills < 0 or not 1 <= options.seconds <= LONGEST_SECONDS:
        parser.error(f"at least one notification, and between 1 and {LONGEST_SECONDS:g} seconds")
    return options


if __name__ == "__main__":
    sys.exit(main())
