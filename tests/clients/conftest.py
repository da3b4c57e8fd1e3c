"""One platform for all tests of the clients; nobody harms it."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.clients.proxy import LossyProxy
from tests.fixtures.platform import ROOT, Platform, remove_data
from tests.fixtures.receivers import LoopThread

FOLDER = ROOT / "deploy" / "clients" / "python"
sys.path.insert(0, str(FOLDER / "src"))  # a package of its own, not part of the platform's environment

if TYPE_CHECKING:
    from carillon_client import AsyncClient, Client

REQUESTS_PER_MINUTE = 600


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that make their own connections reach the platform directly."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="package")
def service() -> Iterator[Platform]:
    """A platform whose rate limit can be met; the client keeps to it in all the tests."""
    data_dir = Path(tempfile.mkdtemp(prefix="carillon-client-"))
    env = {"CARILLON_RATE_LIMIT": str(REQUESTS_PER_MINUTE), "WEB_PROCESSES": "1", "WORKER_PROCESSES": "1"}
    instance = Platform(data_dir, env)
    yield instance
    instance.stop()
    remove_data(data_dir)


@pytest.fixture
def client(service: Platform) -> "Iterator[Client]":
    from carillon_client import Client

    with httpx.Client(trust_env=False) as http:
        yield Client(service.url, service.api_key, timeout=30, http=http)


@pytest.fixture
async def aclient(service: Platform) -> "AsyncIterator[AsyncClient]":
    from carillon_client import AsyncClient

    async with httpx.AsyncClient(trust_env=False) as http:
        yield AsyncClient(service.url, service.api_key, timeout=30, http=http)


@pytest.fixture
def proxy(service: Platform, receiver_thread: LoopThread) -> Iterator[LossyProxy]:
    """Stands before the platform and loses answers when told."""
    lossy = LossyProxy(receiver_thread, httpx.URL(service.url).port or 80)
    yield lossy
    receiver_thread.call(lossy.aclose())
