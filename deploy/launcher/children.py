"""The Python processes of the platform and the environment they share."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from deploy.launcher.programs import Program

ROOT = Path(__file__).resolve().parents[2]
"""Where our packages are: the folder from which `python -m deploy...` works."""


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The operator's environment plus what the launcher decided."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "deploy.settings",
        "PYTHONUNBUFFERED": "1",
        # Whoever starts the platform as root knows it; Celery would say so in seven lines at every start.
        "PYTHONWARNINGS": ",".join(
            filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:You're running the worker with superuser"])
        ),
        # glibc keeps a heap per thread otherwise; measured on the worker pool and the web process.
        "MALLOC_ARENA_MAX": "2",
        **variables,
    }


def preparation(env: Mapping[str, str]) -> Program:
    """Migrations, static files, first project: one process, then gone."""
    return _python("prepare", ["-m", "deploy.launcher.prepare"], env)


def web(number: int, listener_fd: int, env: Mapping[str, str]) -> Program:
    """One ASGI server process on the shared listening socket."""
    return _python(f"web.{number}", ["-m", "deploy.web", "--fd", str(listener_fd)], env, pass_fds=(listener_fd,))


def worker(processes: int, port: int, env: Mapping[str, str]) -> Program:
    """The Celery worker: one parent with `processes` children. Its name must differ from others on the same broker."""
    options = [
        "worker",
        "--loglevel=INFO",
        f"--concurrency={processes}",
        f"--hostname=carillon-{port}@%h",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    return _python("worker", ["-m", "celery", "--quiet", "-A", "deploy.celery_app", *options], env)


def beat(env: Mapping[str, str]) -> Program:
    """Celery Beat; a second one elsewhere is harmless, periodic work is claimed in the database."""
    options = ["beat", "--loglevel=INFO", "--pidfile=", "--scheduler=deploy.beat_scheduler:HeartbeatScheduler"]
    program = _python("beat", ["-m", "celery", "--quiet", "-A", "deploy.celery_app", *options], env)
    # Its handler of SIGTERM uses the database first; interrupting Beat's own query, that fails and Beat goes on.
    return replace(program, ask_again_after_seconds=1.0)


def bounce_listener(env: Mapping[str, str]) -> Program:
    """The SMTP server for bounces."""
    return _python("bounces", ["-m", "deploy.bounces"], env)


def _python(name: str, arguments: list[str], env: Mapping[str, str], pass_fds: tuple[int, ...] = ()) -> Program:
    return Program(name=name, argv=[sys.executable, *arguments], cwd=ROOT, env=env, pass_fds=pass_fds)
