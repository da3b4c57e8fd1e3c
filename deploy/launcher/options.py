"""What the operator asked for, read once and refused before anything starts."""

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.bounces.settings import read_listen
from deploy.config import ConfigError, Environment
from deploy.launcher.errors import StartError

MOST_WEB_PROCESSES_BY_DEFAULT = 8
MOST_WORKER_PROCESSES_BY_DEFAULT = 16


@dataclass(frozen=True, slots=True)
class Options:
    """An empty URL means: run the embedded server."""

    host: str
    port: int
    data_dir: Path
    database_url: str
    redis_url: str
    smtp_url: str
    web_processes: int
    worker_processes: int
    bounce_listen: tuple[str, int] | None = None


def read_options(environment: Environment) -> Options:
    """The launcher's part of the environment; a value that cannot be used ends the start with its variable's name."""
    cores = _cores()
    try:
        port = environment.number("PORT", 8000)
        if port > 65535:
            raise ConfigError(f"PORT must be at most 65535, not {port}")
        return Options(
            host=environment.text("HOST", "127.0.0.1"),
            port=port,
            data_dir=Path(environment.text("CARILLON_DATA_DIR", ".data")).expanduser().absolute(),
            database_url=environment.text("DATABASE_URL", ""),
            redis_url=environment.text("REDIS_URL", ""),
            smtp_url=environment.text("SMTP_URL", ""),
            web_processes=environment.number(
                "WEB_PROCESSES", min(max(1, cores // 2), MOST_WEB_PROCESSES_BY_DEFAULT), least=1
            ),
            worker_processes=environment.number(
                "WORKER_PROCESSES", min(max(2, cores), MOST_WORKER_PROCESSES_BY_DEFAULT), least=1
            ),
            bounce_listen=read_listen(environment),
        )
    except ConfigError as error:
        raise StartError(str(error), exit_status=2) from error


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
