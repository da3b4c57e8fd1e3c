"""Servers as an operator brings them: on TCP, with passwords that need quoting in a URL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import redis

from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from tests.delivery.transports.servers import free_port
from tests.fixtures.platform import remove_data
from tests.fixtures.servers import RunningServer

PASSWORD: Final = "p@ss:w/rd?#%"
ROLE: Final = "notify"
DATABASE: Final = "my notifications"


class TcpPostgres(EmbeddedPostgres):
    """PostgreSQL on a port, where ROLE owns DATABASE and logs in with PASSWORD."""

    def __init__(self, data_dir: Path, port: int) -> None:
        super().__init__(data_dir, durable=False)
        self._settings |= {"listen_addresses": "127.0.0.1", "port": str(port)}
        self._admin_url = f"{self.url}&port={port}"
        self.url = f"postgresql://{ROLE}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/{quote(DATABASE)}"

    def prepare(self) -> None:
        super().prepare()
        rules = self.data / "pg_hba.conf"
        rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n" + rules.read_text())

    def make_role(self) -> None:
        """Once the server runs."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
            connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER {ROLE}')


class TcpValkey(EmbeddedValkey):
    """Valkey on a port with a password."""

    def __init__(self, data_dir: Path, port: int) -> None:
        super().__init__(data_dir)
        self._port = port
        self.url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/3"

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False

    def _configuration(self) -> str:
        return super()._configuration() + f'port {self._port}\nbind 127.0.0.1\nrequirepass "{PASSWORD}"\n'


@contextmanager
def external_servers(folder: Path) -> Iterator[tuple[str, str]]:
    """Both servers, running: the values for DATABASE_URL and REDIS_URL."""
    folder.mkdir()
    with ExitStack() as stack:
        stack.callback(remove_data, folder)
        postgres = TcpPostgres(folder, free_port())
        stack.callback(postgres.release)
        stack.callback(RunningServer(postgres, folder / "postgres.log").stop)
        postgres.make_role()
        valkey = RunningServer(TcpValkey(folder, free_port()), folder / "valkey.log")
        stack.callback(valkey.stop)
        yield postgres.url, valkey.url
