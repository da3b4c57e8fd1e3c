"""A short run of the rig with one fault of each of the worst kinds: every goal of the long one is met."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.plan import Kind
from tests.fixtures.platform import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(420)]

SEED = 3
ACCEPTED = 1500
KILLS = 8
SECONDS = 45
LIMIT_SECONDS = 400
# What is in flight when a worker is killed does not shrink with the length of the run: of a few hundred webhooks it is
# a larger share. The goal of the long run is 0.5.
DOUBLES_PERCENT = 2.0


def test_nothing_is_lost_and_nothing_doubled_without_an_excuse(tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    sizes = {"seed": SEED, "accepted": ACCEPTED, "kills": KILLS, "seconds": SECONDS, "doubles-percent": DOUBLES_PERCENT}
    options = [f"--{name}={value}" for name, value in sizes.items()]
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *options, f"--output={output}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-3000:]
    report = json.loads(output.read_text())
    assert report["passed"]
    assert report["violated"] == {}
    assert report["figures"]["accepted"] == ACCEPTED
    assert set(report["figures"]["kills_by_kind"]) == {str(kind) for kind in list(Kind)[:KILLS]}
    assert {Kind.STOP_POSTGRES, Kind.FLUSH_VALKEY} <= set(list(Kind)[:KILLS])
