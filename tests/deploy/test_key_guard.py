"""Every process refuses to start with keys that are not the database's, and says what to do."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection

from notifications.canary import verify_key
from tests.fixtures.platform import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_SECONDS = 90
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run() -> Run:
    """Runs a process of the product on the tests' database, with these keys."""
    verify_key()
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")

    def start(keys: str, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
        env = {**os.environ, "DATABASE_URL": urlunsplit(url), "CARILLON_ENCRYPTION_KEYS": keys}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            **options,
        )  # type: ignore[call-overload, no-any-return]

    return start


@pytest.fixture
def wrong() -> str:
    return Fernet.generate_key().decode()


def refusal(done: "subprocess.CompletedProcess[str]", wrong: str) -> str:
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "CARILLON_ENCRYPTION_KEYS" in said
    assert "Traceback" not in said
    assert wrong not in said
    return said


def test_the_worker(run: Run, wrong: str) -> None:
    name = f"guard-{secrets.token_hex(4)}@localhost"
    said = refusal(
        run(
            wrong,
            "-m",
            "celery",
            "--quiet",
            "-A",
            "deploy.celery_app",
            "worker",
            "--concurrency=1",
            f"--hostname={name}",
        ),
        wrong,
    )
    assert "ready" not in said


def test_the_web_process(run: Run, wrong: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = run(wrong, "-m", "deploy.web", "--fd", str(listener.fileno()), pass_fds=(listener.fileno(),))
    refusal(done, wrong)


def test_the_launchers_preparation(run: Run, wrong: str) -> None:
    refusal(run(wrong, "-m", "deploy.launcher.prepare"), wrong)


def test_the_database_check(run: Run, wrong: str) -> None:
    refusal(run(wrong, "manage.py", "check", "--database", "default"), wrong)
    right = ",".join([wrong, *settings.CARILLON_ENCRYPTION_KEYS])
    done = run(right, "manage.py", "check", "--database", "default")
    assert done.returncode == 0, done.stderr


def test_a_key_that_is_none_is_refused_as_well(run: Run) -> None:
    assert "Fernet" in refusal(run("no-key", "manage.py", "check", "--database", "default"), "no-key")
