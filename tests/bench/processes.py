"""Processes under measurement: started here, on sockets opened here, so no other server can be the one that answers."""

import base64
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from deploy.launcher.children import ROOT, child_environment, preparation
from deploy.launcher.listening import open_listener
from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.programs import Program
from deploy.launcher.valkey import EmbeddedValkey
from tests.fixtures.platform import OURS, Platform, remove_data
from tests.fixtures.servers import RunningServer

__all__ = ["ROOT", "child_environment", "open_listener"]

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class Child:
    """One process of a benchmark; its log is shown when it ends before it should."""

    def __init__(self, program: Program, log: Path) -> None:
        self.name = program.name
        self._program = program
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                program.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **program.popen_options()
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def assert_running(self) -> None:
        """Still the process that was started."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status {self.process.returncode}:\n{self.log()}")

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def cpu_seconds(self) -> float:
        """User and system time so far, of all its threads."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self._program.stop_signal)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class HttpServer:
    """A server process on a listening socket of ours. `program` is given the socket's number."""

    def __init__(self, program: Program, listener: socket.socket, folder: Path) -> None:
        self.host, self.port = listener.getsockname()[:2]
        self.child = Child(program, folder / f"{program.name}.log")
        listener.close()

    def wait_until_answering(self, path: str) -> None:
        """Any HTTP answer will do; the socket was ours before there was a server, so no answer can be a stranger's."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.child.assert_running()
            try:
                httpx.get(f"http://{self.host}:{self.port}{path}", timeout=2, trust_env=False)
                return
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self.child.name} does not answer:\n{self.child.log()}") from None
                time.sleep(0.05)


def python(name: str, arguments: list[str], env: Mapping[str, str], pass_fds: tuple[int, ...] = ()) -> Program:
    """A Python process from the folder that holds all packages."""
    return Program(name=name, argv=[sys.executable, *arguments], cwd=ROOT, env=env, pass_fds=pass_fds)


class Servers:
    """Embedded PostgreSQL (durable, as `make up` runs it) and Valkey with a migrated database, no workers."""

    def __init__(self) -> None:
        self.folder = new_data_dir()
        self.api_key = secrets.token_urlsafe(40)
        self._running: list[RunningServer] = []

    def __enter__(self) -> "Servers":
        self._postgres = EmbeddedPostgres(self.folder)
        self._valkey = EmbeddedValkey(self.folder)
        try:
            for server in (self._postgres, self._valkey):
                self._running.append(RunningServer(server, self.folder / f"{type(server).__name__}.log"))
            self.env = self._environment()
            program = preparation(self.env)
            subprocess.run(program.argv, cwd=program.cwd, env=program.env, check=True, stdout=subprocess.DEVNULL)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def database_url(self) -> str:
        return self._postgres.url

    @property
    def redis_url(self) -> str:
        return self._valkey.url

    def _environment(self) -> dict[str, str]:
        return child_environment(
            {
                "DATABASE_URL": self.database_url,
                "REDIS_URL": self.redis_url,
                # Names a relay, so that the channel `email` is there; nothing is sent without a worker.
                "SMTP_URL": "smtp://127.0.0.1:9",
                "CARILLON_DATA_DIR": str(self.folder),
                "CARILLON_SECRET_KEY": secrets.token_urlsafe(50),
                "CARILLON_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "CARILLON_API_KEY": self.api_key,
                "CARILLON_ADMIN_PASSWORD": secrets.token_urlsafe(20),
            }
        )

    def _stop(self) -> None:
        for running in reversed(self._running):
            running.stop()
        self._postgres.release()
        remove_data(self.folder)


def new_data_dir() -> Path:
    """A folder for one installation; `remove_data` of the fixtures takes it away again."""
    return Path(tempfile.mkdtemp(prefix="carillon-bench-"))


@contextlib.contextmanager
def running_platform(env: Mapping[str, str] | None = None, *, data_dir: Path | None = None) -> Iterator[Platform]:
    """Everything, started by the real launcher and stopped again; the data goes too unless its folder is given."""
    folder = data_dir or new_data_dir()
    try:
        platform = Platform(folder, env)
        try:
            yield platform
        finally:
            platform.stop()
    finally:
        if data_dir is None:
            remove_data(folder)


def ask_module(module: str, order: Mapping[str, Any]) -> Any:
    """Run a module as a process of its own, with an order on its stdin; gives what it answers."""
    process = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        raise RuntimeError(f"{module} ended with status {process.returncode}")
    return json.loads(process.stdout)


def answer_order(work: Callable[[dict[str, Any]], Any]) -> None:
    """The other end of `ask_module`."""
    print(json.dumps(work(json.loads(sys.stdin.read()))))


def forget_operator_settings() -> None:
    """What the shell says about an installation must not leak into the ones measured here."""
    for name in [name for name in os.environ if OURS.fullmatch(name)]:
        del os.environ[name]


def tree_memory_mb(pid: int) -> dict[int, float]:
    """PSS in MB of a process and everything below it: shared pages are counted once, divided among their users."""
    top = psutil.Process(pid)
    return {each.pid: _pss_mb(each.pid) for each in (top, *top.children(recursive=True)) if _alive(each)}


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no Pss for process {pid}")
