"""`make bench`: what the platform does per second on this machine, beside plainer ways to do the same.

Numbers never fail a run: goals are shown as met or not met. What fails it, once the other figures have been measured,
is a measurement that is none (a request refused, a row or a delivery missing, a server that ended).
"""

import argparse
import importlib
import resource
import sys
import traceback
from pathlib import Path

from rich.console import Console

from tests.bench.processes import ROOT, forget_operator_settings
from tests.bench.report import Bench

FIGURES = {
    "accept": "tests.bench.accept",
    "latency": "tests.bench.latency",
    "unread": "tests.bench.unread",
    "webhook": "tests.bench.webhook",
    "email": "tests.bench.mail",
    "idle": "tests.bench.idle",
    "slow": "tests.bench.slow",
    "routing": "tests.bench.routing",
    "isolation": "tests.bench.isolation",
}


def main() -> int:
    """Measure, show, keep."""
    options = _options()
    forget_operator_settings()
    _allow_many_files()
    failed = []
    with Bench(quick=options.quick, rounds=options.rounds) as bench:
        for name in options.only:
            try:
                importlib.import_module(FIGURES[name]).measure(bench)
            except Exception:
                traceback.print_exc()
                failed.append(name)
    if bench.comparisons:
        Console(width=None if sys.stdout.isatty() else 200).print(bench.table())
        print(f"results: {bench.write(options.output)}")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _allow_many_files() -> None:
    """A thousand connections on either side of one machine; what is started from here inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 16_384)), hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--only", type=_figures, default=list(FIGURES), help=f"some of: {','.join(FIGURES)}")
    parser.add_argument("--rounds", type=int, help="of every figure, instead of its usual number")
    parser.add_argument("--quick", action="store_true", help="two short rounds: to see that everything runs")
    parser.add_argument("--output", type=Path, default=ROOT / ".data/bench", help="folder for the results")
    return parser.parse_args()


def _figures(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in FIGURES]:
        raise argparse.ArgumentTypeError(f"no figure is called {unknown[0]}; there are {', '.join(FIGURES)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
