"""Brings callers that wait at the same time together into one call."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Batch(Generic[K, V]):
    """`get(key)` answers from a call of `fetch` that began after `get` was called; keys that wait together share it."""

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, limit: int) -> None:
        self._fetch = fetch
        self._limit = limit
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """The value for `key`, None when `fetch` had none. Raises what `fetch` raised."""
        return await asyncio.shield(self.ask(key))

    def ask(self, key: K) -> "asyncio.Future[V | None]":
        """What `get` waits for; shared with others, so not to be cancelled."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._runner is None:
                self._runner = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken = {key: self._waiting.pop(key) for key in tuple(islice(self._waiting, self._limit))}
                await self._answer(taken)
        finally:
            self._runner = None

    async def _answer(self, taken: dict[K, "asyncio.Future[V | None]"]) -> None:
        try:
            found = await self._fetch(tuple(taken))
        except asyncio.CancelledError:
            for future in taken.values():
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 (raised again, by whoever waits)
            for future in taken.values():
                future.set_exception(error)
                # Whoever waited may be gone; that nobody retrieves it then is no fault.
                future.exception()
        else:
            for key, future in taken.items():
                future.set_result(found.get(key))
