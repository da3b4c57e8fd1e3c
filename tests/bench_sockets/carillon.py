"""Carillon itself: one `deploy.web` process with embedded PostgreSQL and Valkey, recipients, tokens, the connect command."""

from typing import Final

from deploy.launcher import children
from tests.bench.processes import HttpServer, Servers, open_listener
from tests.bench_sockets.client import Dialect
from tests.bench_sockets.contender import cpu_of_valkey
from tests.bench_sockets.obedient import Obedient


class Carillon:
    """A client is ready when its connect command was answered: token checked, group joined, head read from PostgreSQL.

    Messages are rows in PostgreSQL before their time begins to run, as they are when a worker pushes.
    """

    name: Final = "Carillon"
    dialect = Dialect(ready='"connect":', follow=True)

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> "Carillon":
        self._servers = Servers()
        self._servers.__enter__()
        try:
            self._start()
        except BaseException:
            self._servers.__exit__(None, None, None)
            raise
        return self

    def _start(self) -> None:
        listener = open_listener("127.0.0.1", 0)
        self._server = HttpServer(children.web(1, listener.fileno(), self._servers.env), listener, self._servers.folder)
        self.host, self.port = self._server.host, self._server.port
        self._server.wait_until_answering("/v1/notifications")
        self.pid = self._server.child.pid
        self.clients = self._servers.folder / "clients.ndjson"
        self._publisher = Obedient("tests.bench_sockets.carillon_publisher", self._servers.env)
        self._publisher.do("people", count=self._count, file=str(self.clients))

    def __exit__(self, *exc: object) -> None:
        self._publisher.end()
        self._server.child.stop()
        self._servers.__exit__(None, None, None)

    def broadcast(self, mark: int) -> float:
        return float(self._publisher.do("broadcast", mark=mark, count=self._count)["began"])

    def unicast(self, first: int, count: int, rate: float) -> dict[int, float]:
        answer = self._publisher.do("unicast", first=first, count=count, clients=self._count, rate=rate)
        return {int(mark): at for mark, at in answer["sent"].items()}

    def helpers_cpu(self) -> float:
        return cpu_of_valkey()
