"""nchan in an nginx with a configuration, a port and folders of its own; nothing of the system's is touched."""

import getpass
import shutil
from pathlib import Path
from typing import Final

import psutil

from deploy.launcher.programs import Program
from deploy.launcher.valkey import EmbeddedValkey
from tests.bench.processes import ROOT, HttpServer, child_environment, new_data_dir, open_listener
from tests.bench_sockets.client import Dialect
from tests.bench_sockets.contender import cpu_of_valkey, wording, write_clients
from tests.bench_sockets.posting import Poster
from tests.fixtures.platform import remove_data
from tests.fixtures.servers import RunningServer

MODULE: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
CONFIGURATION: Final = """\
load_module {module};
daemon off;
user {account};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 19000;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    nchan_shared_memory_size 256M;
    {redis}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /alive {{ return 204; }}
        location = /subscribe {{
            nchan_subscriber websocket;
            nchan_channel_id $arg_id; {through}
            nchan_subscriber_first_message newest;
        }}
        location = /publish {{
            nchan_publisher;
            nchan_channel_id $arg_id; {through}
            nchan_message_buffer_length 10;
        }}
    }}
}}
"""


class ListeningValkey(EmbeddedValkey):
    """Carillon's, reachable by port, for nchan knows no other way."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        with open_listener("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]

    def _configuration(self) -> str:
        return super()._configuration() + f"\nport {self.port}\nbind 127.0.0.1\n"


class Nchan:
    """Each client subscribes to one channel: that of everybody, or (`own_channels`) one of its own. By itself nchan delivers from the
    memory of one server; `through_redis` as it does for several, and as Carillon always does."""

    dialect = Dialect()

    def __init__(self, count: int, *, own_channels: bool = False, through_redis: bool = False) -> None:
        self.name = "nchan" + ", own channels" * own_channels + ", through Redis" * through_redis
        self._count = count
        self._own = own_channels
        self._through_redis = through_redis
        self._valkey: RunningServer | None = None

    def __enter__(self) -> "Nchan":
        if not MODULE.exists() or shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
            raise RuntimeError("nchan is not installed: apt-get install nginx-core libnginx-mod-nchan")
        self._folder = new_data_dir()
        listener = open_listener("127.0.0.1", 0)  # nginx tries again until it is free
        self.host, self.port = listener.getsockname()
        redis = through = ""
        if self._through_redis:
            server = ListeningValkey(self._folder)
            self._valkey = RunningServer(server, self._folder / "valkey.log")
            redis = f"upstream redis {{ nchan_redis_server redis://127.0.0.1:{server.port}; }}"
            through = "nchan_redis_pass redis;"
        configuration = self._folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                module=MODULE,
                folder=self._folder,
                port=self.port,
                account=getpass.getuser(),
                redis=redis,
                through=through,
            )
        )
        program = Program(
            name="nchan",
            argv=[
                "/usr/sbin/nginx",
                "-c",
                str(configuration),
                "-p",
                str(self._folder),
                "-e",
                str(self._folder / "error.log"),
            ],
            cwd=ROOT,
            env=child_environment({}),
        )
        self._server = HttpServer(program, listener, self._folder)
        self._server.wait_until_answering("/alive")
        self.pid = self._server.child.pid
        self.clients = self._folder / "clients.ndjson"
        write_clients(self.clients, self._count, "/subscribe?id=" + ("u{n}" if self._own else "all"))
        self._poster = Poster(self.host, self.port)
        return self

    def __exit__(self, *exc: object) -> None:
        self._poster.close()
        self._server.child.stop()
        if self._valkey is not None:
            self._valkey.stop()
        remove_data(self._folder)

    def broadcast(self, mark: int) -> float:
        if not self._own:
            return self._poster.post("/publish?id=all", wording(mark))
        times = [self._poster.post(f"/publish?id=u{number}", wording(mark)) for number in range(self._count)]
        return times[0]

    def unicast(self, first: int, count: int, rate: float) -> dict[int, float]:
        marks = range(first, first + count)
        return self._poster.unicast_to(
            {mark: (f"/publish?id=u{mark * 7919 % self._count}", wording(mark)) for mark in marks}, rate
        )

    def helpers_cpu(self) -> float:
        return 0.0 if self._valkey is None else cpu_of_valkey()

    @property
    def worker_pid(self) -> int:
        """The process that serves; the other one only watches it."""
        [worker] = psutil.Process(self.pid).children()
        return worker.pid
