"""Brings database, static files and first project up to date in one process: `python -m deploy.launcher.prepare`."""

import hashlib
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

# Two launchers on one database migrate one after the other.
MIGRATION_LOCK = 0x4341_5249_4C4C_4F4E


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
    django.setup()
    try:
        migrate()
    except OperationalError as error:
        print(f"the database (DATABASE_URL) cannot be used: {error}", file=sys.stderr)
        return 1
    collect_static_files()
    call_command("carillon_bootstrap")
    return 0


if __name__ == "__main__":
    sys.exit(main())
