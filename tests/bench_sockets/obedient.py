"""A module run as a process that takes orders on its stdin, one line of JSON each, and answers each with a line."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.bench.processes import ROOT


class Obedient:
    """The one who orders."""

    def __init__(self, module: str, env: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def order(self, order: Mapping[str, Any]) -> None:
        """Begin something; `answer` waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def do(self, what: str, **order: Any) -> dict[str, Any]:
        """Order and wait."""
        self.order({"do": what, **order})
        return self.answer()

    def end(self) -> None:
        """The end of its stdin is the end of it."""
        self._process.communicate()
