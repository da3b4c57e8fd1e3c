"""Servers that a killed launcher left running: recognised by their command line, then stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of a running process; empty when there is none."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def stop_orphan(pid: int, *, marker: str, signals: Sequence[signal.Signals], patience_seconds: float = 10) -> bool:
    """Stop process `pid` if `marker` stands in its command line; a number taken over by a stranger is left alone."""
    if pid <= 1 or marker not in command_line(pid):
        return False
    for number in (*signals, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            if marker not in command_line(pid):
                return True
            time.sleep(0.05)
    return True


def read_pid(path: Path) -> int:
    """The number in the first line of a pid file; 0 when there is no such file or no such line."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0
