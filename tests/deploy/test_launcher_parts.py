"""The launcher's decisions: options, addresses, folders, restarts, banner."""

import json
import os
import shlex
import socket
import stat
from pathlib import Path

import pytest

from deploy.config import ConfigError, Environment
from deploy.launcher.banner import banner
from deploy.launcher.errors import StartError
from deploy.launcher.folders import SOCKET_PATH_LIMIT, lock_folder, make_private_folder, socket_folder
from deploy.launcher.listening import base_url, open_listener
from deploy.launcher.options import read_options
from deploy.launcher.orphans import stop_orphan
from deploy.launcher.supervised import describe_end, next_delay


def test_defaults_are_those_of_the_contract() -> None:
    options = read_options(Environment({}))
    assert (options.host, options.port, options.data_dir) == ("127.0.0.1", 8000, Path.cwd() / ".data")
    assert options.web_processes >= 1
    assert options.worker_processes >= 2
    assert (options.database_url, options.redis_url, options.smtp_url) == ("", "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("PORT", "65536"), ("PORT", "-1"), ("WEB_PROCESSES", "0"), ("WORKER_PROCESSES", "many")],
)
def test_an_option_that_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(StartError, match=name) as caught:
        read_options(Environment({name: value}))
    assert caught.value.exit_status == 2


def test_a_taken_port_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"port {port} on 127.0.0.1 is in use.*PORT=") as caught:
            open_listener("127.0.0.1", port)
    assert caught.value.exit_status == 2


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartError, match="HOST"):
        open_listener("192.0.2.1", 0)
    with pytest.raises(StartError, match="HOST"):
        open_listener("no-such-host.invalid", 0)


def test_listening_everywhere_is_shown_as_an_address_that_can_be_opened() -> None:
    with open_listener("0.0.0.0", 0) as listener:
        assert base_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_sockets_of_a_long_data_directory_lie_in_a_short_private_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 40)
    home.mkdir()
    folder = socket_folder(home)
    try:
        assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert socket_folder(home) == folder
        assert socket_folder(tmp_path / ("long" * 41)) != folder
        folder.chmod(0o777)
        with pytest.raises(StartError, match="open to others"):
            socket_folder(home)
    finally:
        folder.rmdir()
        socket_folder(tmp_path / ("long" * 41)).rmdir()


def test_a_path_that_urls_would_have_to_escape_is_avoided(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path / "with space")
    assert " " not in str(folder)
    folder.rmdir()


def test_a_folder_has_one_holder(tmp_path: Path) -> None:
    first = lock_folder(tmp_path)
    with pytest.raises(StartError, match=rf"in use by another Carillon \(process {os.getpid()}\)"):
        lock_folder(tmp_path)
    os.close(first)
    os.close(lock_folder(tmp_path))


def test_private_folders_are_private_and_leave_their_parents_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o751)
    folder = make_private_folder(tmp_path / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o751


def test_a_stranger_with_an_old_number_is_left_alone() -> None:
    assert not stop_orphan(os.getpid(), marker="/no/such/data/folder", signals=())
    assert not stop_orphan(0, marker="", signals=())


def test_restarts_slow_down_and_recover() -> None:
    delays = [0.5]
    while len(delays) < 7:
        delays.append(next_delay(delays[-1], lived_seconds=1))
    assert delays == [0.5, 1, 2, 4, 8, 10, 10]
    assert next_delay(10, lived_seconds=3600) == 0.5


def test_ends_are_told_in_words() -> None:
    assert describe_end(-9) == "was ended by SIGKILL"
    assert describe_end(3) == "ended with status 3"


def test_the_banner_can_be_pasted_whatever_the_key_holds() -> None:
    key = "it's a $(key) with `odd` characters"
    lines = banner(url="http://127.0.0.1:8000", api_key=key, admin_password="pw", catches_mail=True).splitlines()
    assert [line.split(":")[0] for line in lines[:4]] == ["URL", "Admin", "API key", "Try it"]
    command = "\n".join(lines[3:7]).partition(":")[2]
    words = [word for word in shlex.split(command) if word.strip()]
    assert words[:3] == ["curl", "-sS", "http://127.0.0.1:8000/v1/notifications"]
    assert f"Authorization: Bearer {key}" in words
    assert json.loads(words[-1])["channels"] == ["in_app", "email"]


def test_lengths_of_time_are_read_as_a_list() -> None:
    environment = Environment({"CARILLON_WEBHOOK_RETRIES": "0.5, 60,3600"})
    assert environment.seconds("CARILLON_WEBHOOK_RETRIES", (1.0,)) == (0.5, 60.0, 3600.0)
    assert environment.seconds("CARILLON_EMAIL_RETRIES", (1.0,)) == (1.0,)


@pytest.mark.parametrize("value", ["soon", "5;300", "-1", "nan", "inf"])
def test_a_length_of_time_that_cannot_be_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigError, match="CARILLON_WEBHOOK_RETRIES"):
        Environment({"CARILLON_WEBHOOK_RETRIES": value}).seconds("CARILLON_WEBHOOK_RETRIES", (1.0,))
