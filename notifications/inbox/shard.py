"""One Redis of the channel layer: a connection that listens, one that publishes, and an honest account of both.

starting ──connected──> listening ──error or silence──> lost ──connected──> listening
"""

import asyncio
import contextlib
from collections.abc import Sequence
from enum import Enum
from itertools import islice
from typing import Any, Final

import structlog
from channels_redis.pubsub import RedisSingleShardConnection
from channels_redis.utils import create_pool
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from notifications.events import Hint
from notifications.inbox.endings import end_tasks
from notifications.inbox.hints import packed
from notifications.inbox.quick import QuickClient

log = structlog.get_logger(__name__)

REDIS_FAILED: Final = (RedisError, OSError)
"""What 'Redis does not answer' looks like from here (TimeoutError is an OSError)."""

_SOCKET_TIMEOUT_SECONDS: Final = 5
_CONNECT_TIMEOUT_SECONDS: Final = 3
_CONFIRM_SECONDS: Final = 1
_SILENCE_SECONDS: Final = 5
_RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_SUBSCRIBE_CHUNK: Final = 1000
_FEWEST_TOGETHER: Final = 8
_MOST_LISTENERS: Final = 16
_PLAIN: Final = {b"message", b"subscribe"}


class _State(Enum):
    STARTING = "starting"
    LISTENING = "listening"
    LOST = "lost"


class Shard(RedisSingleShardConnection):  # type: ignore[misc]  # channels_redis has no types
    """The stock layer's shard, with the listening half written anew. `_subscribed_to` is what is wanted."""

    _subscribed_to: set[str]
    _redis: Redis | None
    _receive_task: asyncio.Task[None] | None

    def __init__(self, host: dict[str, Any], layer: Any) -> None:
        super().__init__(host, layer)
        self._state = _State.STARTING
        self._listener: Redis | None = None
        self._pubsub: PubSub | None = None
        self._confirmations: dict[str, asyncio.Future[None]] = {}
        self._quick: QuickClient | None = None
        self._together = f"{layer.prefix}__hints__"
        self._listeners = 0

    @property
    def client(self) -> Redis:
        """The connection that publishes, for other commands; pooled."""
        self._ensure_redis()
        assert self._redis is not None
        return self._redis

    @property
    def quick(self) -> QuickClient:
        if self._quick is None:
            self._quick = QuickClient(self._options(retries=0))
        return self._quick

    async def subscribe(self, channel: str) -> None:
        await self.subscribe_many([channel])

    async def unsubscribe(self, channel: str) -> None:
        self.forget([channel])
        await self.unsubscribe_forgotten([channel])

    async def subscribe_many(self, names: Sequence[str]) -> None:
        """Want `names`; returns when Redis has confirmed the last, or without when it is away or slow."""
        fresh = [name for name in names if name not in self._subscribed_to]
        if not fresh:
            return
        self._subscribed_to.update(fresh)
        self._ensure_redis()
        self._ensure_receiver()
        confirmed = self._confirmations[fresh[-1]] = asyncio.get_running_loop().create_future()
        async with self._lock:
            if self._pubsub is not None:
                # The receiver meets the same error, and subscribes to all that is wanted when it is back.
                with contextlib.suppress(*REDIS_FAILED):
                    await self._pubsub.subscribe(*fresh)
        if self._state is not _State.LOST:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CONFIRM_SECONDS):
                    await confirmed

    def forget(self, names: Sequence[str]) -> None:
        """Want `names` no more."""
        self._subscribed_to.difference_update(names)

    async def unsubscribe_forgotten(self, names: Sequence[str]) -> None:
        """Tell Redis about `names`, but for those that are wanted again by now."""
        async with self._lock:
            gone = [name for name in names if name not in self._subscribed_to]
            if gone and self._pubsub is not None:
                with contextlib.suppress(*REDIS_FAILED):
                    await self._pubsub.unsubscribe(*gone)

    async def publish_hints(self, hints: Sequence[Hint]) -> None:
        """Publish all in order with one write: many as one message to every listener, which takes what is its own, unless
        there are so many listeners that most of it would be nobody's. Raises `REDIS_FAILED`."""
        serialize, name_of = self.channel_layer.channel_layer.serialize, self.channel_layer.group_name
        if len(hints) >= _FEWEST_TOGETHER and self._listeners <= _MOST_LISTENERS:
            self._listeners = await self.client.publish(self._together, serialize([packed(each) for each in hints]))
            return
        async with self.client.pipeline(transaction=False) as pipeline:
            for hint in hints:
                pipeline.publish(name_of(hint["recipient"]), serialize([packed(hint)]))
            pipeline.pubsub_numsub(self._together)
            [(_, self._listeners)] = (await pipeline.execute())[-1]

    async def publish_one(self, hint: Hint, *, asking: str) -> bytes | None:
        """Publish it and read the value of the key `asking`, with one write. Raises `REDIS_FAILED`."""
        layer = self.channel_layer
        name, message = layer.group_name(hint["recipient"]), layer.channel_layer.serialize([packed(hint)])
        try:
            return await self.quick.publish(name, message, asking=asking)
        except REDIS_FAILED:  # found out only by use that the connection was closed meanwhile
            return await self.quick.publish(name, message, asking=asking)

    async def flush(self) -> None:
        """Close everything; the next use begins anew."""
        if self._receive_task is not None:
            await end_tasks([self._receive_task])
            self._receive_task = None
        await super().flush()
        if self._listener is not None:
            await self._listener.aclose(close_connection_pool=True)
            self._listener = None
        if self._quick is not None:
            await self._quick.aclose()
            self._quick = None
        self._state = _State.STARTING

    def _ensure_redis(self) -> None:
        if self._redis is None:
            # A connection that Redis closed while it was idle is found out by use: try once more. A hint that is
            # sent twice is dropped by its offset. The listener must not try in silence: it has to tell.
            self._redis = Redis(connection_pool=create_pool(self._options(retries=1)))
            # RESP2: of every message in RESP3, redis-py first writes out the whole for a log that nobody reads.
            self._listener = Redis(connection_pool=create_pool({**self._options(retries=0), "protocol": 2}))

    def _options(self, *, retries: int) -> dict[str, Any]:
        return {
            "socket_timeout": _SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "retry": Retry(NoBackoff(), retries),
            **self.host,
        }

    async def _do_receiving(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
            except (*REDIS_FAILED, RuntimeError) as error:
                # RuntimeError: redis-py's reader and writer met while both reconnected.
                failures = 0 if self._state is _State.LISTENING else failures + 1
                self._lost(error)
            await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])

    async def _listen(self) -> None:
        """Connect, subscribe to what is wanted, and take messages until something breaks."""
        assert self._listener is not None
        pubsub = self._listener.pubsub()
        asked = False
        try:
            await self._open(pubsub)
            while True:
                message = await _next_message(pubsub)
                if message is not None:
                    asked = False
                    self._take(message)
                elif asked:
                    raise RedisConnectionError("no answer to PING")
                else:
                    asked = True
                    await pubsub.ping()
        finally:
            self._pubsub = None
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _open(self, pubsub: PubSub) -> None:
        async with self._lock:
            wanted = iter((self._together, *self._subscribed_to))
            while chunk := list(islice(wanted, _SUBSCRIBE_CHUNK)):
                await pubsub.subscribe(*chunk)
            # Redis answers in order: the answer to this comes after all confirmations.
            await pubsub.ping()
            self._pubsub = pubsub

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "message":
            self._hand_over(message["channel"].decode(), message["data"])
        elif kind == "subscribe":
            confirmed = self._confirmations.pop(message["channel"].decode(), None)
            if confirmed is not None and not confirmed.done():
                confirmed.set_result(None)
        elif kind == "pong" and self._state is not _State.LISTENING:
            returned = self._state is _State.LOST
            self._state = _State.LISTENING
            if returned:
                log.info("channel_layer_returned")
                if self.channel_layer.on_reconnect is not None:
                    self.channel_layer.on_reconnect()

    def _hand_over(self, name: str, data: bytes) -> None:
        """Read once what arrived, for everyone here."""
        layer = self.channel_layer
        content = layer.channel_layer.deserialize(data)
        if name == self._together:
            layer.hand_over_many(content)
        else:
            layer.hand_over(name, content)

    def _lost(self, error: Exception) -> None:
        """Say once that nothing is heard, and let nobody wait for a confirmation."""
        if self._state is not _State.LOST:
            self._state = _State.LOST
            log.warning("channel_layer_lost", error=type(error).__name__)
            if self.channel_layer.on_disconnect is not None:
                self.channel_layer.on_disconnect()
        for confirmed in self._confirmations.values():
            if not confirmed.done():
                confirmed.set_result(None)
        self._confirmations.clear()


async def _next_message(pubsub: PubSub) -> dict[str, Any] | None:
    """`PubSub.get_message` without what it does besides for each message (retries, measuring); None after some silence."""
    connection: Any = pubsub.connection
    response = await connection.read_response(timeout=_SILENCE_SECONDS, disconnect_on_error=False, push_request=True)
    if response is None:
        return None
    if response[0] in _PLAIN:
        return {"type": response[0].decode(), "channel": response[1], "data": response[2]}
    message: dict[str, Any] | None = await pubsub.handle_message(response)  # type: ignore[no-untyped-call]
    return message
