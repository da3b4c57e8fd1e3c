"""A short loss test: one fault of each kind, and no socket misses anything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.platform import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OPTIONS = {
    "clients": 40,
    "server-restarts": 2,
    "redis-restarts": 1,
    "black-hole": 4,
    "seconds-per-fault": 5,
    "seed": 11,
}


def test_no_socket_misses_anything(tmp_path: Path) -> None:
    output = tmp_path / "loss.json"
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench_sockets.loss", *options, f"--output={output}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-3000:]
    report = json.loads(output.read_text())
    assert report["passed"]
    assert report["figures"]["messages"] > 0
    assert len(report["faults"]) == 4
