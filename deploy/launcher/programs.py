"""What a process is started with, so that none outlives its launcher."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from deploy.launcher.accounts import Account

PR_SET_PDEATHSIG = 1

# Loaded before any fork: the child may only call what is already there.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process to run; `stop_signal` asks it to end, `orphan_signal` reaches it when the launcher is gone.

    `ask_again_after_seconds` is for programs that may lose the first request (0: they do not).
    """

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    ask_again_after_seconds: float = 0
    account: Account | None = None
    pass_fds: tuple[int, ...] = ()
    before_start: Callable[[], None] | None = field(default=None, repr=False)

    def popen_options(self) -> dict[str, Any]:
        """Keyword arguments for `subprocess.Popen` and for asyncio's twin of it.

        A session of its own keeps a terminal's Ctrl-C from the process. The death signal is tied to the *thread*
        that forks, so only a thread that lives as long as the launcher may start programs.
        """
        options: dict[str, Any] = {
            "env": dict(self.env),
            "cwd": self.cwd,
            "pass_fds": self.pass_fds,
            "start_new_session": True,
            "preexec_fn": partial(_die_with_parent, self.orphan_signal, os.getpid()),
        }
        if self.account is not None:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return options


def _die_with_parent(orphan_signal: int, parent: int) -> None:
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, orphan_signal)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
