"""One instance through its life: refusals, deaths of its parts, its own sudden death, a second start, a clean stop."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.platform import Platform, remove_data, wait_for
from tests.fixtures.servers import RunningServer

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("launcher")]

REFUSAL_SECONDS = 20


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Below a folder whose path is too long for sockets."""
    base = Path(tempfile.mkdtemp(prefix="carillon-lifecycle-"))
    folder = base / ("long-" * 30) / "data"
    yield folder
    remove_data(folder)
    shutil.rmtree(base)


@pytest.fixture(scope="module")
def instance(data_dir: Path) -> Iterator[Platform]:
    platform = Platform(data_dir)
    yield platform
    platform.stop()


def refused(instance: Platform, **env: str) -> str:
    """What a second launcher says that may not start."""
    second = Platform(instance.data_dir, env, wait=False)
    assert second.process.wait(REFUSAL_SECONDS) == 2
    assert second.stdout == []
    wait_for(lambda: second.stderr, timeout_seconds=5, what="the refusal")
    return second.log


def caught_mail(instance: Platform) -> list[str]:
    return [path.read_text() for path in (instance.data_dir / "mail" / "new").iterdir()]


def test_the_first_lines_say_everything_and_the_curl_works_as_pasted(instance: Platform) -> None:
    assert [line.split(":")[0] for line in instance.stdout[:4]] == ["URL", "Admin", "API key", "Try it"]
    command = "\n".join(instance.stdout[3:7]).partition(":")[2]
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=True).stdout
    assert '"status":"accepted"' in answer.replace(" ", "")
    wait_for(lambda: caught_mail(instance), timeout_seconds=30, what="the mail of the first call")
    assert "Delivered-To: u1@example.com" in caught_mail(instance)[0]


def test_the_admin_login_works_as_printed(instance: Platform) -> None:
    login = f"{instance.url}/admin/login/"
    with instance.browser() as browser:
        browser.get(login)
        form = {
            "username": "admin",
            "password": instance.admin_password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "next": "/admin/",
        }
        answer = browser.post(login, data=form, headers={"Referer": login})
    assert (answer.status_code, answer.headers.get("location")) == (302, "/admin/")


def test_a_port_in_use_is_a_clear_refusal(instance: Platform, tmp_path: Path) -> None:
    port = instance.url.rpartition(":")[2]
    said = refused(instance, PORT=port, CARILLON_DATA_DIR=str(tmp_path / "other"))
    assert f"port {port} on 127.0.0.1 is in use by another program" in said
    assert "PORT=" in said
    assert not (tmp_path / "other").exists()


def test_a_data_directory_in_use_is_a_clear_refusal(instance: Platform) -> None:
    assert f"is in use by another Carillon (process {instance.process.pid})" in refused(instance)


@pytest.mark.parametrize("role", ["web", "beat", "worker", "valkey", "postgres"])
def test_what_dies_is_started_again_and_said(instance: Platform, role: str) -> None:
    old = instance.kill(role)
    instance.wait_until_replaced(role, old)
    instance.wait_until_answering()
    assert f"{role}{'.1' if role == 'web' else ''} was ended by SIGKILL; starting it again" in instance.log


def test_no_worker_child_outlives_its_killed_parent(instance: Platform) -> None:
    wait_for(lambda: instance.pids()["worker_child"], timeout_seconds=30, what="the worker's children")
    children = instance.pids()["worker_child"]
    instance.wait_until_replaced("worker", instance.kill("worker"))
    wait_for(
        lambda: not [line for line in instance.left_running() if int(line.split()[0]) in children],
        timeout_seconds=10,
        what="the old worker's children to be gone",
    )


def test_a_killed_launcher_leaves_nothing_and_its_data_are_found_again(instance: Platform, data_dir: Path) -> None:
    created = instance.http.post(
        "/v1/notifications",
        json={"recipients": ["u7"], "channels": ["in_app"], "content": {"title": "before", "body": "the crash"}},
    )
    assert created.status_code == 202
    instance.remember_children()
    instance.process.kill()
    instance.process.wait()
    instance.assert_nothing_left()

    again = Platform(data_dir)
    try:
        assert (again.api_key, again.admin_password) == (instance.api_key, instance.admin_password)
        found = again.http.get(created.headers["location"])
        assert found.json()["id"] == created.json()["id"]
    finally:
        took = again.stop(signal.SIGINT)
    assert again.process.returncode == 0
    assert took < 30
    assert "was ended by" not in again.log


def test_a_terminals_ctrl_c_reaches_the_launcher_alone_and_a_second_one_leaves_no_orphans(data_dir: Path) -> None:
    again = Platform(data_dir)
    again.remember_children()
    os.killpg(again.process.pid, signal.SIGINT)
    wait_for(lambda: "stopping" in again.log, timeout_seconds=10, what="the launcher to say that it stops")
    again.stop(signal.SIGINT, whole_group=True)
    assert again.process.returncode == 0


def test_a_database_that_cannot_be_used_is_a_clear_refusal(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    second = Platform(tmp_path / "data", {"DATABASE_URL": f"postgresql://u:secret@127.0.0.1:{port}/x"}, wait=False)
    assert second.process.wait(REFUSAL_SECONDS) == 1
    second.stop()
    assert "the database of DATABASE_URL cannot be used" in second.log
    assert "secret" not in second.log
    assert "Traceback" not in second.log


def test_servers_given_by_url_are_used_and_none_are_embedded(tmp_path: Path, valkey: RunningServer) -> None:
    name = f"carillon_{os.getpid()}_external"
    server = os.environ["DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server.replace("@/carillon", f"@/{name}")
    instance = Platform(tmp_path / "data", {"DATABASE_URL": url, "REDIS_URL": valkey.url})
    assert instance.pids()["postgres"] == []
    assert instance.pids()["valkey"] == []
    instance.stop()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
