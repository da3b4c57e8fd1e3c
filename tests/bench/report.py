"""What was measured: collected while the rounds run, then shown as a table and kept as JSON."""

import json
import operator
import platform
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


@dataclass
class Series:
    """One figure, a value per round; `notes` are what was seen beside it."""

    unit: str
    values: list[float] = field(default_factory=list)
    notes: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """What is to be reached: at least `limit`, or below it."""

    limit: float
    text: str
    below: bool = False

    def is_met_by(self, value: float) -> bool:
        return operator.lt(value, self.limit) if self.below else operator.ge(value, self.limit)


@dataclass(frozen=True)
class Comparison:
    """A figure beside its yardstick, by the ratios of the rounds in which both ran next to each other; or alone."""

    name: str
    yardstick: str | None
    goal: Goal | None


class Bench:
    """One run: its options, its progress, its results."""

    def __init__(self, *, quick: bool, rounds: int | None) -> None:
        self.quick = quick
        self.series: dict[str, Series] = {}
        self.comparisons: list[Comparison] = []
        self.started = datetime.now(UTC)
        self.load_before = psutil.getloadavg()[0]
        self._rounds = rounds
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )

    def __enter__(self) -> "Bench":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def rounds(self, figure: str, usual: int) -> Iterator[int]:
        """Numbers the rounds from 1 and shows how far they have come."""
        count = self._rounds or (2 if self.quick else usual)
        task = self._progress.add_task(figure, total=count)
        for number in range(1, count + 1):
            yield number
            self._progress.advance(task)

    def say(self, text: str) -> None:
        """A line above the progress bars."""
        self._console.print(text, highlight=False)

    def add(self, name: str, unit: str, value: float) -> None:
        """One round's value of a figure."""
        self.series.setdefault(name, Series(unit)).values.append(value)

    def note(self, name: str, what: str, value: float) -> None:
        """Something worth knowing about that round."""
        self.series[name].notes.setdefault(what, []).append(value)

    def compare(self, name: str, yardstick: str, goal: Goal | None = None) -> None:
        """Show a figure beside another one that was measured in the same rounds."""
        self.comparisons.append(Comparison(name, yardstick, goal))

    def show(self, name: str, goal: Goal | None = None) -> None:
        """Show a figure by itself."""
        self.comparisons.append(Comparison(name, None, goal))

    def ratios(self, comparison: Comparison) -> list[float]:
        """Per round, since neighbours in time suffered the same disturbances."""
        if comparison.yardstick is None:
            return []
        pairs = zip(self.series[comparison.name].values, self.series[comparison.yardstick].values, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    def verdict(self, comparison: Comparison) -> bool | None:
        """Whether the goal is met by the median."""
        if comparison.goal is None:
            return None
        return comparison.goal.is_met_by(median(self.ratios(comparison) or self.series[comparison.name].values))

    def table(self) -> Table:
        """Medians with what the rounds ranged over."""
        table = Table(title="Carillon beside its yardsticks: median (least to most of the rounds)")
        for heading in ("figure", "measured", "beside", "yardstick", "ratio", "to reach", ""):
            table.add_column(heading)
        for comparison in self.comparisons:
            series, verdict = self.series[comparison.name], self.verdict(comparison)
            beside = self.series[comparison.yardstick] if comparison.yardstick else None
            table.add_row(
                comparison.name,
                f"{_spread(series.values)} {series.unit}",
                comparison.yardstick or "",
                f"{_spread(beside.values)} {beside.unit}" if beside else "",
                _spread(self.ratios(comparison)),
                comparison.goal.text if comparison.goal else "",
                {True: "[green]met", False: "[red]not met", None: ""}[verdict],
            )
        return table

    def as_json(self) -> dict[str, Any]:
        """Everything, by round."""
        return {
            "command": command(),
            "started": self.started.isoformat(),
            "machine": {**machine(), "load_before": self.load_before},
            "series": {
                name: {"unit": each.unit, "median": median(each.values), "values": each.values, "notes": each.notes}
                for name, each in self.series.items()
            },
            "comparisons": [
                {
                    "figure": each.name,
                    "beside": each.yardstick,
                    "ratios": self.ratios(each),
                    "ratio": median(self.ratios(each)) if each.yardstick else None,
                    "to_reach": each.goal.text if each.goal else None,
                    "met": self.verdict(each),
                }
                for each in self.comparisons
            ],
        }

    def write(self, folder: Path) -> Path:
        """Keep the results; gives the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.started:%Y-%m-%dT%H-%M-%S}.json"
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n")
        return path


def _spread(values: list[float]) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return _number(values[0])
    return f"{_number(median(values))} ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def command() -> str:
    """How this program was started, for whoever wants to see the figures again."""
    module = getattr(sys.modules["__main__"].__spec__, "name", sys.argv[0]).removesuffix(".__main__")
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def machine() -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "system": platform.platform(),
        "python": platform.python_version(),
    }
