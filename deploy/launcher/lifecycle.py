"""The order of things: servers, preparation, our processes, readiness; and all of it backwards."""

import asyncio
import signal
import socket
import sys
import time

from deploy.config import environment
from deploy.launcher import children
from deploy.launcher.banner import banner
from deploy.launcher.console import say
from deploy.launcher.errors import StartError
from deploy.launcher.listening import base_url, reachable_address
from deploy.launcher.options import Options
from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.readiness import ask, wait_until_ready
from deploy.launcher.supervised import Supervised
from deploy.launcher.valkey import EmbeddedValkey
from deploy.mailcatcher import start_mail_catcher
from deploy.secrets import Secrets
from deploy.variables import remove_variables, write_variables

SERVER_START_SECONDS = 60.0
READY_SECONDS = 90.0
DEATHS_BEFORE_GIVING_UP = 3

# Together below the 30 s within which everything is gone.
APP_GRACE_SECONDS = 18.0
VALKEY_GRACE_SECONDS = 3.0
POSTGRES_GRACE_SECONDS = 5.0

CONNECTIONS_BESIDE_PROCESSES = 60
CONNECTIONS_PER_PROCESS = 15
LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"


class Platform:
    """One run of everything, on the main thread's loop."""

    def __init__(self, options: Options, listener: socket.socket, secrets: Secrets) -> None:
        self._options = options
        self._listener = listener
        self._secrets = secrets
        self._servers: list[tuple[Supervised, float]] = []
        self._applications: list[Supervised] = []
        self._mail: asyncio.Server | None = None
        self._preparation: Supervised | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._variables = dict(secrets.variables)

    async def run(self) -> None:
        """Start, serve until a signal, stop. Raises StartError when the platform cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await stopping
        finally:
            starting.cancel()
            stopping.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            await self._stop_everything()

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
            return
        say("stopping")
        self._stop.set()

    async def _start(self) -> None:
        began = time.monotonic()
        await self._start_postgres()
        await self._start_valkey()
        await self._start_mail_catcher()
        env = children.child_environment(self._all_variables())
        write_variables(self._options.data_dir, env)
        await self._prepare(env)
        await self._start_applications(env)
        await self._wait_until_ready()
        say(f"ready after {time.monotonic() - began:.1f} s")
        print(self._banner(), flush=True)

    async def _start_postgres(self) -> None:
        if self._options.database_url:
            return
        processes = self._options.web_processes + self._options.worker_processes
        connections = CONNECTIONS_BESIDE_PROCESSES + CONNECTIONS_PER_PROCESS * processes
        server = await asyncio.to_thread(EmbeddedPostgres, self._options.data_dir, max_connections=connections)
        await asyncio.to_thread(server.prepare)
        await self._start_server(server, POSTGRES_GRACE_SECONDS)
        self._variables["DATABASE_URL"] = server.url

    async def _start_valkey(self) -> None:
        if self._options.redis_url:
            return
        server = EmbeddedValkey(self._options.data_dir)
        await asyncio.to_thread(server.prepare)
        await self._start_server(server, VALKEY_GRACE_SECONDS)
        self._variables["REDIS_URL"] = server.url

    async def _start_server(self, server: EmbeddedPostgres | EmbeddedValkey, grace_seconds: float) -> None:
        supervised = Supervised(server.program())
        self._servers.append((supervised, grace_seconds))
        await supervised.start()
        deadline = time.monotonic() + SERVER_START_SECONDS
        while not server.is_ready():
            if supervised.deaths >= DEATHS_BEFORE_GIVING_UP or time.monotonic() > deadline:
                raise StartError(f"{supervised.program.name} does not start; its own words are above")
            await asyncio.sleep(0.02)

    async def _start_mail_catcher(self) -> None:
        if self._options.smtp_url:
            return
        folder = self._options.data_dir / "mail"
        self._mail, self._variables["SMTP_URL"] = await start_mail_catcher(folder)
        self._variables["CARILLON_MAIL_DIR"] = str(folder)

    def _all_variables(self) -> dict[str, str]:
        variables = self._variables | {
            "CARILLON_DATA_DIR": str(self._options.data_dir),
            "HOST": self._options.host,
            "PORT": str(self._listener.getsockname()[1]),
            "WEB_PROCESSES": str(self._options.web_processes),
            "WORKER_PROCESSES": str(self._options.worker_processes),
        }
        if not environment.text("CARILLON_WEBHOOK_ALLOW", ""):
            variables["CARILLON_WEBHOOK_ALLOW"] = LOOPBACK_NETWORKS
        return variables

    async def _prepare(self, env: dict[str, str]) -> None:
        self._preparation = Supervised(children.preparation(env))
        if await self._preparation.run_once() != 0:
            raise StartError("the database could not be prepared; the reason is above")

    async def _start_applications(self, env: dict[str, str]) -> None:
        port = self._listener.getsockname()[1]
        descriptor = self._listener.fileno()
        programs = [children.web(number, descriptor, env) for number in range(1, self._options.web_processes + 1)]
        programs += [children.worker(self._options.worker_processes, port, env), children.beat(env)]
        if self._options.bounce_listen is not None:
            programs.append(children.bounce_listener(env))
        for program in programs:
            application = Supervised(program)
            self._applications.append(application)
            await application.start()

    async def _wait_until_ready(self) -> None:
        host, port = reachable_address(self._listener)
        ready = asyncio.create_task(wait_until_ready(host, port))
        deadline = time.monotonic() + READY_SECONDS
        try:
            while not ready.done() and time.monotonic() < deadline:
                await asyncio.wait([ready], timeout=0.5)
                if any(application.deaths >= DEATHS_BEFORE_GIVING_UP for application in self._applications):
                    raise StartError("the platform's processes do not stay up; their own words are above")
        finally:
            ready.cancel()
        if ready.cancelled() or not ready.done():
            status, body = await ask(host, port)
            if status == 0:
                raise StartError(f"the web processes did not answer within {READY_SECONDS:g} s")
            # Something outside (a database or broker given by URL) is down: serving degraded beats not serving.
            say(f"still not ready: /readyz answers {status} {body[:300]}")

    def _banner(self) -> str:
        return banner(
            url=base_url(self._listener),
            api_key=self._secrets.api_key,
            admin_password=self._secrets.admin_password,
            catches_mail=self._mail is not None,
        )

    async def _stop_everything(self) -> None:
        self._listener.close()
        if self._preparation is not None:
            await self._preparation.stop(grace_seconds=2, hurry=self._hurry)
        await asyncio.gather(
            *(each.stop(grace_seconds=APP_GRACE_SECONDS, hurry=self._hurry) for each in self._applications)
        )
        remove_variables(self._options.data_dir)
        if self._mail is not None:
            self._mail.close()
        for server, grace_seconds in reversed(self._servers):
            # Not hurried: a server that may write its state out starts faster next time.
            await server.stop(grace_seconds=grace_seconds, hurry=asyncio.Event())
        say("stopped")
        sys.stderr.flush()
