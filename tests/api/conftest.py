"""The API served as in production, on a Unix socket, against the session's real PostgreSQL and Valkey."""

import contextlib
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from pytest_django import DjangoDbBlocker

from notifications.ids import new_uuid

# Nothing that needs Django's settings is imported here: this file is read before they are known.
if TYPE_CHECKING:
    from tests.api.asking import Tenant
    from tests.api.following import Member
    from tests.consumers.inbox import Owner

START_LIMIT_SECONDS = 30.0


class ThreadedServer(uvicorn.Server):
    """uvicorn with the product's own settings in a thread of the test process."""

    def __init__(self, socket_path: str) -> None:
        from deploy.web import server_config

        config = server_config()
        config.uds = socket_path
        super().__init__(config)
        self._thread = threading.Thread(target=self.run, name="api-under-test", daemon=True)

    def begin(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not self.started:
            assert self._thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)

    def end(self) -> None:
        self.should_exit = True
        self._thread.join(START_LIMIT_SECONDS)
        assert not self._thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def api_socket(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The path of the socket on which the API answers."""
    folder = Path(tempfile.mkdtemp(prefix="crl-api-"))
    with django_db_blocker.unblock():
        server = ThreadedServer(str(folder / "s"))
        server.begin()
        yield str(folder / "s")
        server.end()


@pytest.fixture(scope="module")
def emptied(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Leaves an empty database behind, once per module: emptying it after every test takes longer than most tests."""
    from django.core.management import call_command

    yield
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)


@pytest.fixture
def transactional_db(emptied: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """In place of pytest-django's (by whose name it finds out which databases to create): nothing is rolled back, and
    every test has a project of its own instead of an empty database."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def connect(api_socket: str, transactional_db: None) -> Iterator[Callable[..., httpx.Client]]:
    """Opens clients of the API: `connect(key)`; without a key nobody in particular."""
    clients: list[httpx.Client] = []

    def open_client(key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.HTTPTransport(
            uds=api_socket, verify=False
        )  # no TLS: its context takes longer than most tests
        clients.append(httpx.Client(transport=transport, base_url="http://api.test", headers=headers, timeout=30))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def make_tenant(connect: Callable[..., httpx.Client]) -> "Callable[..., Tenant]":
    """Makes projects with a key: `make_tenant(scopes=["admin"])`."""

    from notifications.models import Project
    from notifications.services import create_api_key
    from tests.api.asking import Tenant

    def make(scopes: tuple[str, ...] = ("admin",)) -> "Tenant":
        project = Project.objects.create(name=f"test {new_uuid()}")
        _, key = create_api_key(project=project, name="test", scopes=list(scopes))
        return Tenant(project, key, connect(key))

    return make


@pytest.fixture
def tenant(make_tenant: "Callable[..., Tenant]") -> "Tenant":
    """A fresh project and its client."""
    return make_tenant()


@pytest.fixture
def http(tenant: "Tenant") -> httpx.Client:
    """A client of a fresh project."""
    return tenant.http


@pytest.fixture
async def join(api_socket: str) -> "AsyncIterator[Callable[[Owner], Member]]":
    """Gives recipients a client that holds a token of theirs."""
    from channels.layers import get_channel_layer

    from tests.api.following import Member

    async with contextlib.AsyncExitStack() as stack:

        def make(owner: "Owner") -> "Member":
            client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=api_socket, verify=False),
                base_url="http://api.test",
                headers={"Authorization": f"Bearer {owner.token()}"},
                timeout=40,
            )
            stack.push_async_callback(client.aclose)
            return Member(owner, client)

        yield make
    await get_channel_layer().flush()


@pytest.fixture
async def member(join: "Callable[[Owner], Member]", owner: "Owner") -> "Member":
    """A recipient of its own and its client."""
    return join(owner)
