"""Embedded Valkey: a real server on a Unix socket that appends every write to its log."""

import signal
import socket
from pathlib import Path
from urllib.parse import quote

from deploy.launcher.binaries import valkey_server
from deploy.launcher.folders import make_private_folder, socket_folder
from deploy.launcher.orphans import read_pid, stop_orphan
from deploy.launcher.programs import Program


class EmbeddedValkey:
    """The server that belongs to a data directory; `prepare` first, then run `program` until `is_ready`."""

    def __init__(self, data_dir: Path) -> None:
        self.home = make_private_folder(data_dir / "valkey")
        self.socket = socket_folder(data_dir) / "valkey.sock"
        self.url = f"unix://{quote(str(self.socket))}"
        self._config = self.home / "valkey.conf"
        self._pid_file = self.home / "valkey.pid"

    def prepare(self) -> None:
        """Write the configuration, and clear what a killed launcher left."""
        self._config.write_text(self._configuration())
        self._config.chmod(0o600)
        self.clear_stale_server()

    def program(self) -> Program:
        """The server process; SIGTERM makes it write its log out and exit."""
        return Program(
            name="valkey",
            argv=[str(valkey_server()), str(self._config)],
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            orphan_signal=signal.SIGTERM,
            before_start=self.clear_stale_server,
        )

    def is_ready(self) -> bool:
        """Whether the server answers PING (while it loads its log it answers LOADING)."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def clear_stale_server(self) -> None:
        """Stop a server of a killed launcher; its socket file is no obstacle, Valkey replaces it."""
        stop_orphan(read_pid(self._pid_file), marker=str(self._config), signals=(signal.SIGTERM,))
        self._pid_file.unlink(missing_ok=True)

    def _configuration(self) -> str:
        values = {
            "port": "0",
            "unixsocket": _quoted(self.socket),
            "unixsocketperm": "700",
            "dir": _quoted(self.home),
            "pidfile": _quoted(self._pid_file),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            # A log cut off by a crash is read up to the cut instead of refusing to start.
            "aof-load-truncated": "yes",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "databases": "16",
            "loglevel": "warning",
            "always-show-logo": "no",
            # The command line keeps naming this file: by it a left-over server is recognised.
            "set-proc-title": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in values.items())


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
