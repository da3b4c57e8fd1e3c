"""The embedded servers: durable, private, found again, and unharmed by what a crash leaves."""

import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.launcher.errors import StartError
from deploy.launcher.places import find_place
from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from tests.fixtures.platform import wait_for
from tests.fixtures.servers import RunningServer

pytestmark = pytest.mark.xdist_group("launcher")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory in a closed folder, as in a home folder."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "data"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(find_place(folder).home, ignore_errors=True)


def permissions(path: Path) -> list[tuple[Path, int, int]]:
    return [(each, each.stat().st_mode, each.stat().st_uid) for each in (path, *path.parents)]


def start_postgres(data_dir: Path) -> tuple[EmbeddedPostgres, RunningServer]:
    server = EmbeddedPostgres(data_dir, durable=False)
    return server, RunningServer(server, data_dir / "postgres.log")


def test_postgres_finds_its_data_again_and_widens_no_folder(data_dir: Path) -> None:
    before = permissions(data_dir)
    server, running = start_postgres(data_dir)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bell (tone text)")
        connection.execute("INSERT INTO bell VALUES ('Ä')")
        facts = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('synchronous_commit'),"
            " current_setting('server_encoding'), lower('Ä')"
        ).fetchone()
        assert facts == ("", "on", "UTF8", "ä")
    running.stop()
    server.release()
    assert permissions(data_dir) == before
    again, running = start_postgres(data_dir)
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT tone FROM bell").fetchone() == ("Ä",)
    running.stop()
    again.release()
    assert permissions(data_dir) == before
    assert stat.S_IMODE(again.data.stat().st_mode) == 0o700


def test_postgres_left_running_by_a_killed_launcher_is_replaced(data_dir: Path) -> None:
    server, old = start_postgres(data_dir)
    server.release()
    idle = psycopg.connect(server.url, autocommit=True)
    again, new = start_postgres(data_dir)
    with pytest.raises(psycopg.OperationalError):
        idle.execute("SELECT 1")
    assert old.process is not None
    assert old.process.wait(10) == 0
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    new.stop()
    again.release()


def test_a_pid_file_with_a_strangers_number_is_no_obstacle(data_dir: Path) -> None:
    server, running = start_postgres(data_dir)
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    running.kill()
    wait_for(lambda: _all_backends_gone(server), timeout_seconds=10, what="PostgreSQL's backends to notice")
    # The kernel gave the old number to another program of any account: this test's own process.
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    running.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    running.stop()
    server.release()


def test_an_interrupted_first_start_is_made_good(data_dir: Path) -> None:
    place = find_place(data_dir)
    half = place.home / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server, running = start_postgres(data_dir)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("carillon",)
    running.stop()
    server.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps the database outside the data directory")
def test_a_database_that_has_gone_is_said_not_replaced(data_dir: Path) -> None:
    shutil.rmtree(find_place(data_dir).home)
    with pytest.raises(StartError, match=r"which is gone: restore that folder, or remove .*postgres\.place"):
        EmbeddedPostgres(data_dir)
    (data_dir / "postgres.place").unlink()


def test_valkey_keeps_what_it_was_told_even_when_killed(tmp_path: Path) -> None:
    home = tmp_path / ("a long name with spaces " * 8)
    home.mkdir()
    server = EmbeddedValkey(home)
    running = RunningServer(server, tmp_path / "valkey.log")
    with redis.Redis.from_url(server.url) as client:
        client.set("tone", "a")
        client.execute_command("WAITAOF", 1, 0, 5000)
        settings = client.config_get("port", "appendonly", "maxmemory-policy")
        assert settings == {"port": "0", "appendonly": "yes", "maxmemory-policy": "noeviction"}
    running.kill()
    running.start()
    with redis.Redis.from_url(server.url) as client:
        assert client.get("tone") == b"a"
    running.stop()
    shutil.rmtree(server.socket.parent)


def test_valkey_left_running_by_a_killed_launcher_is_replaced(tmp_path: Path) -> None:
    old = RunningServer(EmbeddedValkey(tmp_path), tmp_path / "valkey.log")
    new = RunningServer(EmbeddedValkey(tmp_path), tmp_path / "valkey.log")
    assert old.process is not None
    assert old.process.wait(10) in (0, -signal.SIGTERM)
    assert new.server.is_ready()
    new.stop()


def _all_backends_gone(server: EmbeddedPostgres) -> bool:
    mark = os.fsencode(str(server.data))
    for proc in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in proc.read_bytes():
                return False
        except OSError:
            continue
    return True
