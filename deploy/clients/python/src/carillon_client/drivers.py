"""The two colours: each carries an exchange over httpx and waits, nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, TypeVar

import httpx

from .exchange import Done, Exchange
from .requests import Request
from .result import Page
from .retries import RetryPolicy
from .version import __version__

DEFAULT_TIMEOUT_SECONDS = 10.0

T = TypeVar("T")
HttpT = TypeVar("HttpT")


class _Driver(Generic[HttpT]):
    """Where requests go and what every one of them carries. Connections of its own are its own to close."""

    def __init__(
        self, base_url: str, token: str, timeout: float, retries: RetryPolicy | None, http: HttpT, owns_http: bool
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": f"carillon-client/{__version__}",
        }
        self._timeout = timeout
        self._policy = retries or RetryPolicy()
        self._http = http
        self._owns_http = owns_http

    def _options(self, request: Request[T]) -> dict[str, Any]:
        """The arguments of httpx's `request`."""
        headers = dict(self._headers)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        return {
            "method": request.method,
            "url": self._base_url + request.path,
            "params": request.query or None,
            "content": request.body,
            "headers": headers,
            "timeout": httpx.Timeout(self._timeout, read=self._timeout + request.wait_seconds),
            "follow_redirects": False,
        }


class SyncDriver(_Driver[httpx.Client]):
    """Blocks."""

    def __init__(
        self, base_url: str, token: str, timeout: float, retries: RetryPolicy | None, http: httpx.Client | None
    ) -> None:
        super().__init__(base_url, token, timeout, retries, http or httpx.Client(), http is None)

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def run(self, request: Request[T]) -> T:
        """The result of one request. Raises `CarillonError`."""
        exchange = Exchange(request, self._policy)
        options = self._options(request)
        while True:
            try:
                response = self._http.request(**options)
            except httpx.HTTPError as error:
                step = exchange.failed(error)
            else:
                answer = exchange.answered(response)
                if isinstance(answer, Done):
                    return answer.value
                step = answer
            time.sleep(step.seconds)

    def pages(self, request: Request[Page[T]]) -> Pages[T]:
        """All pages of a list, from this one on."""
        return Pages(self, request)


class AsyncDriver(_Driver[httpx.AsyncClient]):
    """Awaits."""

    def __init__(
        self, base_url: str, token: str, timeout: float, retries: RetryPolicy | None, http: httpx.AsyncClient | None
    ) -> None:
        super().__init__(base_url, token, timeout, retries, http or httpx.AsyncClient(), http is None)

    async def aclose(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def run(self, request: Request[T]) -> T:
        """The result of one request. Raises `CarillonError`."""
        exchange = Exchange(request, self._policy)
        options = self._options(request)
        while True:
            try:
                response = await self._http.request(**options)
            except httpx.HTTPError as error:
                step = exchange.failed(error)
            else:
                answer = exchange.answered(response)
                if isinstance(answer, Done):
                    return answer.value
                step = answer
            await asyncio.sleep(step.seconds)

    def pages(self, request: Request[Page[T]]) -> AsyncPages[T]:
        """All pages of a list, from this one on."""
        return AsyncPages(self, request)


class Pages(Generic[T]):
    """A list that is fetched page by page while it is iterated: over its items, or with `pages()` over its pages."""

    def __init__(self, driver: SyncDriver, first: Request[Page[T]]) -> None:
        self._driver = driver
        self._first = first

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.data

    def pages(self) -> Iterator[Page[T]]:
        """The pages; keep a page's `next` to go on later with `after=`."""
        page = self._driver.run(self._first)
        yield page
        while page.next is not None:
            page = self._driver.run(self._first.after(page.next))
            yield page


class AsyncPages(Generic[T]):
    """A list that is fetched page by page while it is iterated: over its items, or with `pages()` over its pages."""

    def __init__(self, driver: AsyncDriver, first: Request[Page[T]]) -> None:
        self._driver = driver
        self._first = first

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.data:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """The pages; keep a page's `next` to go on later with `after=`."""
        page = await self._driver.run(self._first)
        yield page
        while page.next is not None:
            page = await self._driver.run(self._first.after(page.next))
            yield page
