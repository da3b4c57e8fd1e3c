"""Brings database, static files and first project up to date in one process: `python -m deploy.launcher.prepare`."""

import hashlib
import os
import sys
from pathlib import Path

import django
import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from deploy.config import environment

OLDEST_POSTGRES = 140_000

# Two launchers on one database migrate one after the other.
MIGRATION_LOCK = 0x4341_5249_4C4C_4F4E


def database_complaint(url: str) -> str:
    """Why this database cannot be used, or nothing. Asked without Django's pool, which would hide the reason."""
    try:
        with psycopg.connect(url, connect_timeout=5) as client:
            version = client.info.server_version
    except psycopg.Error as error:
        return f"the database of DATABASE_URL cannot be used: {error}"
    if version < OLDEST_POSTGRES:
        return f"the database of DATABASE_URL is PostgreSQL {version // 10_000}: 14 or newer is needed"
    return ""


def migrate() -> None:
    """Apply pending migrations; asking for them is much cheaper than running the command for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                print("migrating the database", flush=True)
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def collect_static_files() -> None:
    """Collect static files when any of them, or the way they are stored, changed."""
    stamp = Path(settings.DATA_DIR) / "static.stamp"
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    print("collecting static files", flush=True)
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(fingerprint)


def static_fingerprint() -> str:
    """Names, sizes and times of all source files."""
    digest = hashlib.sha256(f"{settings.STATIC_ROOT}{settings.STATIC_URL}{settings.STORAGES}".encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = os.stat(storage.path(name))
            digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def main() -> int:
    """Exit status 0 when the platform may start."""
    if complaint := database_complaint(environment.text("DATABASE_URL")):
        print(complaint, flush=True)
        return 1
    django.setup()
    from notifications.canary import WrongKey, verify_key  # its modules need the apps to be ready

    try:
        verify_key(add=False)
    except WrongKey as error:
        print(error, flush=True)
        return 1
    migrate()
    collect_static_files()
    call_command("carillon_bootstrap")
    return 0


if __name__ == "__main__":
    sys.exit(main())
