"""The two colours: each carries an exchange over httpx and waits, nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

import httpx

from .exchange import Done, Exchange
from .requests import Request
from .results import Page
from .retries import RetryPolicy

T = TypeVar("T")


class _Driver:
    """Where requests go and what every one of them carries."""

    def __init__(self, base_url: str, headers: dict[str, str], timeout: float, policy: RetryPolicy) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = headers
        self._timeout = timeout
        self._policy = policy

    def _options(self, request: Request[T]) -> dict[str, object]:
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
            "timeout": self._timeout,
            "follow_redirects": False,
        }


class SyncDriver(_Driver):
    """Blocks."""

    def __init__(
        self, http: httpx.Client, base_url: str, headers: dict[str, str], timeout: float, policy: RetryPolicy
    ) -> None:
        super().__init__(base_url, headers, timeout, policy)
        self._http = http

    def run(self, request: Request[T]) -> T:
        """The result of one request. Raises `CarillonError`."""
        exchange = Exchange(request, self._policy)
        options = self._options(request)
        while True:
            try:
                response = self._http.request(**options)  # type: ignore[arg-type]  # a dict of what `request` takes
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


class AsyncDriver(_Driver):
    """Awaits."""

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, headers: dict[str, str], timeout: float, policy: RetryPolicy
    ) -> None:
        super().__init__(base_url, headers, timeout, policy)
        self._http = http

    async def run(self, request: Request[T]) -> T:
        """The result of one request. Raises `CarillonError`."""
        exchange = Exchange(request, self._policy)
        options = self._options(request)
        while True:
            try:
                response = await self._http.request(**options)  # type: ignore[arg-type]  # as above
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
