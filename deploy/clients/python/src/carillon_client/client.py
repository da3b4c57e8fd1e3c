"""`Client` and `AsyncClient`: the same resources in two colours."""

from __future__ import annotations

from typing import Generic

import httpx

from .api_keys import ApiKeys
from .drivers import DEFAULT_TIMEOUT_SECONDS, AsyncDriver, SyncDriver
from .endpoints import Endpoints
from .events import Callbacks, EventEndpoints, Events
from .notifications import Deliveries, Notifications
from .operations import DriverT
from .preferences import Preferences, Project
from .recipients import Recipients, Suppressions, Tokens
from .retries import RetryPolicy
from .schedules import Schedules
from .stats import Stats
from .templates import Templates
from .topics import Topics
from .workflows import Workflows


class _Resources(Generic[DriverT]):
    """Everything that an API key opens."""

    def __init__(self, driver: DriverT) -> None:
        self._driver: DriverT = driver
        self.notifications = Notifications(driver)
        self.deliveries = Deliveries(driver)
        self.recipients = Recipients(driver)
        self.endpoints = Endpoints(driver)
        self.preferences = Preferences(driver)
        self.tokens = Tokens(driver)
        self.topics = Topics(driver)
        self.workflows = Workflows(driver)
        self.templates = Templates(driver)
        self.schedules = Schedules(driver)
        self.suppressions = Suppressions(driver)
        self.events = Events(driver)
        self.event_endpoints = EventEndpoints(driver)
        self.callbacks = Callbacks(driver)
        self.stats = Stats(driver)
        self.project = Project(driver)
        self.api_keys = ApiKeys(driver)


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
        super().__init__(SyncDriver(base_url, api_key, timeout, retries, http))

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

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
        super().__init__(AsyncDriver(base_url, api_key, timeout, retries, http))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._driver.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
