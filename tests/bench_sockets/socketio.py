"""socket.io on Node, installed by npm into a folder of its own that goes away with it."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from deploy.launcher.programs import Program
from tests.bench.processes import ROOT, HttpServer, child_environment, new_data_dir, open_listener
from tests.bench_sockets.client import Dialect
from tests.bench_sockets.contender import wording, write_clients
from tests.bench_sockets.posting import Poster
from tests.fixtures.platform import remove_data

PACKAGE: Final = "socket.io@4.8.4"
SERVER: Final = Path(__file__).with_name("socketio_server.cjs")


class SocketIo:
    """A client upgrades at once, joins by its first packet and is ready with the answer; heartbeats every 25 s."""

    name: Final = "socket.io"
    dialect = Dialect(greet_after="0", ready="40", answers={"2": "3"})

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> "SocketIo":
        self._folder = new_data_dir()
        if shutil.which("npm") is None:
            raise RuntimeError("socket.io needs Node.js with npm")
        install = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent", PACKAGE]
        subprocess.run(install, cwd=self._folder, check=True)
        script = self._folder / "server.cjs"
        shutil.copy(SERVER, script)
        listener = open_listener("127.0.0.1", 0)
        program = Program(
            name="socketio",
            argv=["node", str(script), str(listener.fileno())],
            cwd=ROOT,
            env=child_environment({"NODE_ENV": "production"}),
            pass_fds=(listener.fileno(),),
        )
        self._server = HttpServer(program, listener, self._folder)
        self.host, self.port = self._server.host, self._server.port
        self._server.wait_until_answering("/")
        self.pid = self._server.child.pid
        self.clients = self._folder / "clients.ndjson"
        write_clients(self.clients, self._count, "/socket.io/?EIO=4&transport=websocket", '40{"user":"{n}"}')
        self._poster = Poster(self.host, self.port)
        return self

    def __exit__(self, *exc: object) -> None:
        self._poster.close()
        self._server.child.stop()
        remove_data(self._folder)

    def broadcast(self, mark: int) -> float:
        return self._poster.post("/publish", wording(mark))

    def unicast(self, first: int, count: int, rate: float) -> dict[int, float]:
        marks = range(first, first + count)
        return self._poster.unicast_to(
            {mark: (f"/publish?to={mark * 7919 % self._count}", wording(mark)) for mark in marks}, rate
        )

    def helpers_cpu(self) -> float:
        return 0.0
