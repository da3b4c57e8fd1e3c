"""Stock Channels: AsyncJsonWebsocketConsumer, the pub/sub layer of channels_redis, uvicorn with its own defaults."""

from typing import Final

from deploy.launcher.valkey import EmbeddedValkey
from tests.bench.processes import HttpServer, child_environment, new_data_dir, open_listener, python
from tests.bench_sockets.client import Dialect
from tests.bench_sockets.contender import cpu_of_valkey, write_clients
from tests.bench_sockets.obedient import Obedient
from tests.fixtures.platform import remove_data
from tests.fixtures.servers import RunningServer

APPLICATION: Final = "tests.bench_sockets.stock.asgi:application"


class StockChannels:
    """No token is checked and no database asked; a client is ready when it was accepted, its groups joined."""

    name: Final = "stock Channels"
    dialect = Dialect()

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> "StockChannels":
        self._folder = new_data_dir()
        self._valkey = RunningServer(EmbeddedValkey(self._folder), self._folder / "valkey.log")
        env = child_environment(
            {"REDIS_URL": self._valkey.url, "DJANGO_SETTINGS_MODULE": "tests.bench_sockets.stock.settings"}
        )
        listener = open_listener("127.0.0.1", 0)
        arguments = ["-m", "uvicorn", "--fd", str(listener.fileno()), "--log-level", "warning", APPLICATION]
        self._server = HttpServer(python("stock", arguments, env, (listener.fileno(),)), listener, self._folder)
        self.host, self.port = self._server.host, self._server.port
        self._server.wait_until_answering("/")
        self.pid = self._server.child.pid
        self.clients = self._folder / "clients.ndjson"
        write_clients(self.clients, self._count, "/ws/{n}")
        self._publisher = Obedient("tests.bench_sockets.stock.publisher", env)
        return self

    def __exit__(self, *exc: object) -> None:
        self._publisher.end()
        self._server.child.stop()
        self._valkey.stop()
        remove_data(self._folder)

    def broadcast(self, mark: int) -> float:
        return float(self._publisher.do("broadcast", mark=mark, count=self._count)["began"])

    def unicast(self, first: int, count: int, rate: float) -> dict[int, float]:
        answer = self._publisher.do("unicast", first=first, count=count, clients=self._count, rate=rate)
        return {int(mark): at for mark, at in answer["sent"].items()}

    def helpers_cpu(self) -> float:
        return cpu_of_valkey()
