"""`make up` on a machine that has nothing: a fresh copy, an empty home, only the packages of the runtime's lock file."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.fixtures.platform import ROOT, Platform, remove_data, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("launcher"), pytest.mark.timeout(400)]

INSTALL_LIMIT_SECONDS = 300

NOT_PART_OF_A_CLONE = shutil.ignore_patterns(".venv", ".git", ".data", ".uv", "__pycache__", ".*_cache", ".hypothesis")


def test_make_up_in_a_fresh_copy_with_an_empty_home(tmp_path: Path) -> None:
    copy = tmp_path / "carillon"
    shutil.copytree(ROOT, copy, ignore=NOT_PART_OF_A_CLONE)
    home = tmp_path / "home"
    home.mkdir()
    instance = Platform(
        copy / ".data",
        {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        command=["make", "up"],
        folder=copy,
        start_limit_seconds=INSTALL_LIMIT_SECONDS,
    )
    try:
        wait_for(lambda: "ready." in instance.log, timeout_seconds=30, what="the worker to be ready")
        assert "Traceback" not in instance.log
        assert "Fetching packages" in instance.log
        assert instance.stop(signal.SIGINT, whole_group=True) < 30
        assert "Error" not in instance.log.splitlines()[-1]
    finally:
        remove_data(copy / ".data")
