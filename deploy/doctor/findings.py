"""What a check says. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Status(IntEnum):
    """How bad it is; `note` is worth knowing and nothing to act on."""

    OK = 0
    NOTE = 1
    WARN = 2
    FAIL = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """`finding` and `remedy` are one sentence each; the remedy may hold text to paste."""

    check: str
    status: Status
    finding: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "check": self.check,
            "status": self.status.name.lower(),
            "finding": self.finding,
            "remedy": self.remedy or None,
        }


def ok(check: str, finding: str) -> Finding:
    return Finding(check, Status.OK, finding)


def note(check: str, finding: str, remedy: str = "") -> Finding:
    return Finding(check, Status.NOTE, finding, remedy)


def warn(check: str, finding: str, remedy: str) -> Finding:
    return Finding(check, Status.WARN, finding, remedy)


def fail(check: str, finding: str, remedy: str) -> Finding:
    return Finding(check, Status.FAIL, finding, remedy)


def exit_code(findings: Iterable[Finding]) -> int:
    """0: nothing to do; 1: warnings; 2: something does not work."""
    worst = max((each.status for each in findings), default=Status.OK)
    return {Status.FAIL: 2, Status.WARN: 1}.get(worst, 0)
