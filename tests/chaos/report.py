"""What came of a run: checked against the goals, shown as a table, kept as JSON."""

import json
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Check:
    """One figure and what it has to be; `details` are for whoever looks for the cause."""

    name: str
    value: Any
    goal: str = ""
    met: bool = True
    details: tuple[str, ...] = ()


@dataclass
class Report:
    """The figures of one run in the order they are shown."""

    title: str
    head: dict[str, Any]
    checks: list[Check] = field(default_factory=list)
    tail: dict[str, Any] = field(default_factory=dict)

    def none(self, name: str, found: list[str]) -> None:
        """Something of which there must be none."""
        self.checks.append(Check(name, len(found), "0", not found, tuple(found[:20])))

    def within(self, name: str, value: float, limit: float, *, unit: str = "s") -> None:
        """Something that must not be more than `limit`."""
        self.checks.append(Check(f"{name}_{unit}", round(value, 3), f"<= {limit:g}", value <= limit))

    def check(self, name: str, value: Any, goal: str, met: bool) -> None:
        self.checks.append(Check(name, value, goal, met))

    def note(self, name: str, value: Any) -> None:
        """A figure without a goal."""
        self.checks.append(Check(name, value))

    @property
    def violated(self) -> list[Check]:
        return [check for check in self.checks if not check.met]

    def table(self) -> Table:
        table = Table(title=self.title)
        for heading in ("", "found", "to reach", ""):
            table.add_column(heading)
        for check in self.checks:
            verdict = "" if not check.goal else "[green]met" if check.met else "[red]violated"
            table.add_row(check.name.replace("_", " "), _shown(check.value), check.goal, verdict)
        return table

    def as_json(self) -> dict[str, Any]:
        return {
            **self.head,
            "machine": {
                "cores": psutil.cpu_count(),
                "memory_mb": psutil.virtual_memory().total // 2**20,
                "python": platform.python_version(),
                "system": platform.system(),
            },
            "passed": not self.violated,
            "figures": {check.name: check.value for check in self.checks},
            "violated": {check.name: {"goal": check.goal, "details": list(check.details)} for check in self.violated},
            **self.tail,
        }

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {each}" for name, each in value.items())
    return str(value)
