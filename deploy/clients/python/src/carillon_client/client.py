"""`Client` and `AsyncClient`: the same resources in two colours."""

from __future__ import annotations

from typing import Generic

import httpx

from .drivers import AsyncDriver, SyncDriver
from .events import Callbacks, EventEndpoints, Events
from .notifications import Deliveries, Notifications
from .operations import DriverT
from .recipients import Endpoints, Recipients, Suppressions, Tokens, Topics
from .retries import RetryPolicy
from .version import __version__

DEFAULT_TIMEOUT_SECONDS = 10.0


class _Resources(Generic[DriverT]):
    """Everything a client can do."""

    def __init__(self, driver: DriverT) -> None:
        self.notifications = Notifications(driver)
        self.deliveries = Deliveries(driver)
        self.recipients = Recipients(driver)
        self.endpoints = Endpoints(driver)
        self.tokens = Tokens(driver)
        self.topics = Topics(driver)
        self.suppressions = Suppressions(driver)
        self.events = Events(driver)
        self.event_endpoints = EventEndpoints(driver)
        self.callbacks = Callbacks(driver)


class Client(_Resources[SyncDriver]):
    """Blocking; safe to share between threads. Use it in a `with`, or `close()` it.

    `timeout` are seconds without progress (connect, read, write), for each try. `http` is an httpx client of your own
    (proxies, certificates, event hooks), which stays yours to close.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self._owns = http is None
        self._http = http or httpx.Client()
        super().__init__(SyncDriver(self._http, base_url, _headers(api_key), timeout, retries or RetryPolicy()))

    def close(self) -> None:
        """Close the connections."""
        if self._owns:
            self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(_Resources[AsyncDriver]):
    """For asyncio. Use it in an `async with`, or `aclose()` it; arguments as `Client`'s."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._owns = http is None
        self._http = http or httpx.AsyncClient()
        super().__init__(AsyncDriver(self._http, base_url, _headers(api_key), timeout, retries or RetryPolicy()))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._owns:
            await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _headers(api_key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {api_key}",
        "Accept": "application/json",
        "User-Agent": f"carillon-client/{__version__}",
    }
