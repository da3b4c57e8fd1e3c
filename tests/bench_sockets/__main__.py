"""`make bench-sockets`: ten thousand idle sockets on one server process, beside nchan, socket.io and stock Channels.

Every server is started anew for each round, with clients in processes of their own on this machine. Numbers never
fail a run; a measurement that is none (a client refused or closed, a message missing, out of order or doubled) does.
What is in the figures of each server: the docstrings of carillon.py, nchan.py, socketio.py and stock_channels.py.
"""

import argparse
import json
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from tests.bench.processes import ROOT, forget_operator_settings
from tests.bench.report import Bench, Goal
from tests.bench_sockets.carillon import Carillon
from tests.bench_sockets.contender import Contender
from tests.bench_sockets.figures import Round
from tests.bench_sockets.hold import hold, write
from tests.bench_sockets.nchan import Nchan
from tests.bench_sockets.socketio import SocketIo
from tests.bench_sockets.stock_channels import StockChannels
from tests.bench_sockets.swarm import Swarm

SOCKETS: Final = 10_000
HELD: Final = 40_000
CLIENT_PROCESSES: Final = 2
SERVERS: Final[dict[str, Callable[[int], Contender]]] = {
    "carillon": Carillon,
    "nchan": Nchan,
    "nchan-own": lambda count: Nchan(count, own_channels=True),
    "nchan-redis": lambda count: Nchan(count, own_channels=True, through_redis=True),
    "socketio": SocketIo,
    "stock": StockChannels,
}
COMPARED: Final[list[tuple[str, str, Goal | None]]] = [
    ("memory per socket", "nchan", Goal(1.5, "<= 1.5 x nchan", below=True)),
    ("memory per socket", "socket.io", None),
    ("memory per socket", "stock Channels", None),
    ("connects", "stock Channels", Goal(2.0, ">= 2 x stock Channels")),
    ("connects", "nchan", None),
    ("connects", "socket.io", None),
    ("broadcast", "nchan", Goal(2.0, "<= 2 x nchan", below=True)),
    ("broadcast", "stock Channels", Goal(0.15, "<= 0.15 x stock Channels", below=True)),
    ("broadcast", "socket.io", None),
    ("unicast p50", "nchan, own channels", None),
    ("unicast p50", "nchan, own channels, through Redis", None),
    ("unicast p99", "nchan, own channels", Goal(2.0, "<= 2 x nchan", below=True)),
    ("unicast p99", "nchan, own channels, through Redis", None),
    ("unicast p99", "socket.io", None),
    ("unicast p99", "stock Channels", None),
    ("CPU at 200 messages/s", "nchan, own channels", None),
    ("CPU at 200 messages/s", "nchan, own channels, through Redis", None),
    ("CPU at 200 messages/s", "socket.io", None),
    ("CPU at 200 messages/s", "stock Channels", None),
]


def main() -> int:
    """Measure, show, keep."""
    options = _options()
    forget_operator_settings()
    allow_all_files()
    if options.hold:
        return _hold(options)
    failed = []
    with Bench(quick=options.quick, rounds=options.rounds) as bench:
        for number in bench.rounds("sockets", 3):
            for name in options.only:
                bench.say(f"round {number}, {name}")
                try:
                    _measure(bench, name, options.sockets or SOCKETS)
                except Exception:
                    traceback.print_exc()
                    failed.append(name)
        _compare(bench)
    if bench.comparisons:
        Console(width=None if sys.stdout.isatty() else 200).print(bench.table())
        print(f"results: {bench.write(options.output)}")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _hold(options: argparse.Namespace) -> int:
    with Progress() as progress:
        report = hold(options.sockets or HELD, options.processes, options.minutes, progress)
    file = options.output / f"hold-{report['sockets']}.json"
    write(report, file)
    Console().print_json(json.dumps(report))
    print(f"results: {file}")
    return 0 if report["passed"] else 1


def _measure(bench: Bench, name: str, count: int) -> None:
    with SERVERS[name](count) as server, Swarm(CLIENT_PROCESSES) as swarm:
        round_ = Round(bench, server, swarm, count)
        if name == "nchan":
            round_.connect()
            round_.broadcast()
        elif name in ("nchan-own", "nchan-redis"):
            round_.connect()
            round_.unicast()
        else:
            round_.everything()
        round_.finish()


def _compare(bench: Bench) -> None:
    for figure, beside, goal in COMPARED:
        ours, theirs = f"{figure}: Carillon", f"{figure}: {beside}"
        if ours in bench.series and theirs in bench.series:
            bench.compare(ours, theirs, goal)
        elif ours in bench.series:
            bench.show(ours)


def allow_all_files() -> None:
    """As many as this user may; what is started from here inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench_sockets", description=(__doc__ or "").partition("\n\n")[0]
    )
    parser.add_argument("--only", type=_servers, default=list(SERVERS), help=f"some of: {','.join(SERVERS)}")
    parser.add_argument("--rounds", type=int, help="instead of 3")
    parser.add_argument("--sockets", type=int, help=f"instead of {SOCKETS}, or of {HELD} with --hold")
    parser.add_argument("--hold", action="store_true", help="hold many with live traffic instead; Carillon alone")
    parser.add_argument("--minutes", type=float, default=10.0, help="for --hold")
    parser.add_argument("--processes", type=int, default=4, help="servers for --hold")
    parser.add_argument("--quick", action="store_true", help="two short rounds: to see that everything runs")
    parser.add_argument("--output", type=Path, default=ROOT / ".data/bench-sockets", help="folder for the results")
    return parser.parse_args()


def _servers(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in SERVERS]:
        raise argparse.ArgumentTypeError(f"no server is called {unknown[0]}; there are {', '.join(SERVERS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
