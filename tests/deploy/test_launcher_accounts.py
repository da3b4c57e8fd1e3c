"""The whole platform as an ordinary user: no root, a home folder of its own, nobody else's permissions changed."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.launcher.binaries import SYSTEM_FOLDER
from deploy.launcher.folders import path_digest
from tests.fixtures.platform import ROOT, Platform

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("launcher")]

ACCOUNT = "nobody"


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home folder; not below pytest's own, which others may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-home-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everybody can enter."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-python-"))
    yield folder
    shutil.rmtree(folder)


def python_environment(python: str) -> dict[str, str]:
    """What lets this interpreter find our packages, and a copy of it its own library."""
    packages = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    return {
        "PYTHONPATH": os.pathsep.join(packages),
        "LD_LIBRARY_PATH": str(Path(python).parents[1] / "lib"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def can_run(python: str) -> bool:
    """Whether ACCOUNT may run this interpreter together with our packages, compiled ones included."""
    try:
        probe = subprocess.run(
            [python, "-c", "import django, psycopg, celery, redis.asyncio, uvloop, deploy.launcher"],
            user=pwd.getpwnam(ACCOUNT).pw_uid,
            extra_groups=[],
            cwd="/",
            env=python_environment(python),
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return probe.returncode == 0


def interpreter_for_everybody(folder: Path) -> str:
    """Our Python, or a copy of it where ACCOUNT can reach it (root's own may lie in a closed home folder)."""
    if can_run(sys.executable):
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix)
    leave_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "ensurepip", "config-*", "__pycache__")
    shutil.copytree(base / "lib" / version, folder / "lib" / version, symlinks=True, ignore=leave_out)
    for library in (base / "lib").glob("libpython*"):
        shutil.copy(library, folder / "lib")
    (folder / "bin").mkdir()
    python = shutil.copy(base / "bin" / version, folder / "bin" / version)
    folder.chmod(0o755)
    if not can_run(python):
        pytest.skip(f"the account {ACCOUNT} cannot run {version} with our packages, not even a copy of it")
    return python


@pytest.mark.skipif(os.geteuid() != 0, reason="the suite itself runs as an ordinary user, which all other tests show")
def test_everything_runs_as_an_ordinary_user_and_touches_no_foreign_folder(home: Path, open_folder: Path) -> None:
    python = interpreter_for_everybody(open_folder)
    account = pwd.getpwnam(ACCOUNT)
    os.chown(home, account.pw_uid, account.pw_gid)
    data_dir = home / "data"
    instance = Platform(
        data_dir,
        {"HOME": str(home), **python_environment(python)},
        command=[python, "-m", "deploy.launcher"],
        account=ACCOUNT,
    )
    owners = {pid: Path(f"/proc/{pid}").stat().st_uid for pids in instance.pids().values() for pid in pids}
    answer = instance.http.post(
        "/v1/notifications",
        json={"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "Hello", "body": "there"}},
    )
    assert answer.status_code == 202
    assert instance.stop() < 30
    assert set(owners.values()) == {account.pw_uid}
    assert {path.stat().st_uid for path in home.rglob("*")} == {account.pw_uid}
    assert home.stat().st_mode & 0o777 == 0o700
    assert (data_dir / "postgres" / "data" / "PG_VERSION").exists()
    assert not (data_dir / "postgres.place").exists()
    assert not (SYSTEM_FOLDER / path_digest(data_dir)).exists()
