"""The throw-away database: gone at the end however that comes, and what a killed simulation left is removed by the next."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from deploy.simulation.database import throwaway_database
from notifications.database import connection_options
from notifications.models import Project

ROOT = Path(__file__).parents[3]
NIGHT = ROOT / "deploy" / "examples" / "scenarios" / "incident-night.yaml"
LIMIT_SECONDS = 120
pytestmark = pytest.mark.django_db(transaction=True)


def simulated(options: dict[str, Any] | None = None) -> list[str]:
    """Those beside the configured database, or beside another one."""
    with psycopg.connect(**(options or connection_options())) as client:
        name = client.info.dbname
        rows = client.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (f"{name[:39]}_simulation_",)
        )
        return sorted(row[0] for row in rows.fetchall())


def fail_inside(start: datetime) -> None:
    with throwaway_database(start):
        project = Project.objects.create(name="inside")
        project.refresh_from_db()
        assert project.created_at == start  # a column's default, too
        raise ZeroDivisionError


def test_it_goes_by_the_hand_and_goes_away() -> None:
    configured = connection.settings_dict["NAME"]
    with pytest.raises(ZeroDivisionError):
        fail_inside(datetime(2027, 3, 1, tzinfo=UTC))
    assert connection.settings_dict["NAME"] == configured
    assert not Project.objects.filter(name="inside").exists()
    assert simulated() == []


def start_simulation() -> "subprocess.Popen[bytes]":
    """A simulation in a process of its own, from when its database is there."""
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "simulate", str(NIGHT)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background of a shell has SIGINT ignored, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + LIMIT_SECONDS
    while not simulated():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return process


def test_interrupted_it_removes_its_database_and_killed_the_next_one_does() -> None:
    interrupted = start_simulation()
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(LIMIT_SECONDS) != 0
    assert simulated() == []

    killed = start_simulation()
    (left,) = simulated()
    killed.kill()
    killed.wait(LIMIT_SECONDS)
    assert simulated() == [left]
    with throwaway_database(datetime.now(UTC)):
        pass
    assert simulated() == []


def test_two_at_once_leave_each_other_alone() -> None:
    configured = connection_options()
    other = start_simulation()
    other.send_signal(signal.SIGSTOP)  # lest it ends first
    (theirs,) = simulated()
    try:
        with throwaway_database(datetime.now(UTC)):
            mine = connection.settings_dict["NAME"]
            assert simulated(configured) == sorted([mine, theirs])
        assert simulated() == [theirs]
    finally:
        other.send_signal(signal.SIGCONT)
        other.send_signal(signal.SIGINT)
        other.wait(LIMIT_SECONDS)
    assert simulated() == []


def test_the_command_tells_draws_and_complains(tmp_path: Path) -> None:
    said, picture = StringIO(), tmp_path / "night.svg"
    call_command("simulate", str(NIGHT), svg=picture, json=True, stdout=said)
    document = json.loads(said.getvalue())
    assert document["timezone"] == "America/New_York"
    assert {entry["kind"] for entry in document["entries"]} >= {"asked", "waits", "ended", "step", "done"}
    assert picture.read_text().startswith("<svg ")

    bad = tmp_path / "bad.json"
    bad.write_text('{"start": "2027-03-01T08:00:00Z", "until": "P1D", "project": {"timezone": "Mars"}}')
    with pytest.raises(CommandError, match=r"bad\.json: /project/timezone: Not a time zone"):
        call_command("simulate", str(bad), stdout=StringIO())
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("simulate", str(tmp_path / "nothing.json"), stdout=StringIO())
    assert simulated() == []
