"""Embedded PostgreSQL: a real server on a Unix socket, with its data kept durable."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from deploy.launcher.errors import StartError
from deploy.launcher.folders import lock_folder
from deploy.launcher.orphans import read_pid, stop_orphan
from deploy.launcher.places import Place, find_place
from deploy.launcher.programs import Program

NAME = "carillon"
"""Of the role and of the database."""

INITDB_OPTIONS = (
    "--username=" + NAME,
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
)

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    # Short transactions of an outbox gain nothing from these, and each keeps processes or compile time busy.
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "1GB",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """The server that belongs to a data directory; `prepare` first, then run `program` until `is_ready`."""

    def __init__(self, data_dir: Path, *, max_connections: int = 100, durable: bool = True) -> None:
        """`durable=False` is for throw-away servers of tests: no fsync, so a power cut may lose data."""
        self.place: Place = find_place(data_dir)
        self.data = self.place.home / "data"
        self.url = f"postgresql://{NAME}@/{NAME}?host={quote(str(self.place.sockets))}"
        self._settings = SETTINGS | {
            "unix_socket_directories": _quoted_list_item(self.place.sockets),
            "max_connections": str(max_connections),
        }
        if not durable:
            self._settings |= {"fsync": "off", "full_page_writes": "off"}
        self._durable = durable
        self._lock: int | None = None

    def prepare(self) -> None:
        """Make the cluster if there is none, and clear what a killed launcher left. Blocks for a second or two."""
        if self._lock is None:
            self._lock = lock_folder(self.place.home)
        self.clear_stale_server()
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()

    def release(self) -> None:
        """Let another launcher have this place."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def program(self) -> Program:
        """The server process: SIGINT is PostgreSQL's fast shutdown, which waits for no client."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        return Program(
            name="postgres",
            argv=[str(self._binary("postgres")), "-D", str(self.data), *options],
            cwd=self.place.home,
            env=_ENVIRONMENT,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            account=self.place.account,
            before_start=self.clear_stale_server,
        )

    def is_ready(self) -> bool:
        """Whether the server says of itself that it accepts connections (what `pg_ctl` looks at)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def clear_stale_server(self) -> None:
        """Stop a server of a killed launcher, and drop a pid file whose number now belongs to a stranger."""
        pid_file = self.data / "postmaster.pid"
        pid = read_pid(pid_file)
        if pid and not stop_orphan(pid, marker=str(self.data), signals=(signal.SIGINT, signal.SIGQUIT)):
            pid_file.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        fresh = self.place.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        sync = [] if self._durable else ["--no-sync"]
        self._run("initdb", "-D", str(fresh), *INITDB_OPTIONS, *sync)
        self._run("postgres", "--single", "-D", str(fresh), "template1", stdin=f"CREATE DATABASE {NAME} OWNER {NAME}\n")
        # Renamed when complete: a start that was interrupted leaves nothing that looks like a cluster.
        fresh.rename(self.data)

    def _run(self, binary: str, *arguments: str, stdin: str = "") -> None:
        account = self.place.account
        result = subprocess.run(
            [str(self._binary(binary)), *arguments],
            input=stdin,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.place.home,
            env=_ENVIRONMENT,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if result.returncode != 0 or "FATAL" in result.stdout or "ERROR" in result.stdout:
            raise StartError(f"PostgreSQL's {binary} failed: {result.stdout.strip()[-2000:]}")

    def _binary(self, name: str) -> Path:
        return self.place.installation / "bin" / name


# Nothing of ours is inherited: PG* variables and locales of the operator's shell must not change the server.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def _quoted_list_item(path: Path) -> str:
    return '"' + str(path).replace('"', '""') + '"'
