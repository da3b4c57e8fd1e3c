"""The channel layer: channels_redis' publish/subscribe layer, which here also says when it was interrupted.

The stock layer resubscribes in silence after a broken connection, waits for ever on a frozen server, writes a traceback
every second while Redis is away, and joins groups one round trip at a time. This one keeps its interface and adds
`group_add_many`, `group_discard_many` and `group_send_many` (one write for many), `watch` (called on interruption
and on return) and the connections to its Redis for commands of our own. Joining never fails: what could not be joined now is joined when Redis is back, and `watch` tells.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import _wrap_close, decode_hosts
from redis.asyncio import Redis

from notifications.inbox.shard import Shard


class LiveLayer(RedisPubSubChannelLayer):  # type: ignore[misc]  # channels_redis has no types
    """Named by CHANNEL_LAYERS; one per process, with one loop layer per event loop."""

    def _get_layer(self) -> "LiveLoopLayer":
        loop = asyncio.get_running_loop()
        layer: LiveLoopLayer | None = self._layers.get(loop)
        if layer is None:
            layer = LiveLoopLayer(*self._args, **self._kwargs, channel_layer=self)
            self._layers[loop] = layer
            _wrap_close(self, loop)
        return layer

    async def receive_many(self, channel: str, *, limit: int) -> list[Any]:
        """`receive`, and with it what else has arrived by then, in order."""
        return await self._get_layer().receive_many(channel, limit=limit)

    def deserialize(self, message: Any) -> Any:
        """Shards read what arrives once for all its receivers; only for their own use there are bytes here."""
        return super().deserialize(message) if isinstance(message, bytes) else message

    async def group_add_many(self, groups: Sequence[str], channel: str) -> None:
        """`group_add` for many groups; returns when Redis has confirmed, or after a second at the latest."""
        await self._get_layer().group_add_many(groups, channel)

    async def group_discard_many(self, groups: Sequence[str], channel: str) -> None:
        """`group_discard` for many groups. What it forgets is forgotten before it first waits."""
        await self._get_layer().group_discard_many(groups, channel)

    async def group_send_many(self, messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """`group_send` of many (group, message), in order. Raises RedisError or OSError."""
        await self._get_layer().group_send_many(messages)

    def client_for(self, key: str) -> Redis:
        """A client of the Redis on which `key` belongs, for commands of our own; it lives and ends with the layer."""
        return self._get_layer().shard_of(key).client

    def by_client(self, keys: Iterable[str]) -> dict[Redis, list[str]]:
        """Each Redis with those of `keys` that belong there."""
        return {shard.client: names for shard, names in self._get_layer().by_shard(keys).items()}

    async def quick_get(self, key: str) -> bytes | None:
        """The value of `key`. Raises `REDIS_FAILED`; the time limit is the caller's."""
        return await self._get_layer().shard_of(key).quick_reader.get(key)

    def watch(self, *, on_interrupt: Callable[[], None], on_return: Callable[[], None]) -> None:
        """Call these on the running loop when messages may be lost from now on, and when they come again."""
        layer = self._get_layer()
        layer.on_disconnect, layer.on_reconnect = on_interrupt, on_return


def live_layer() -> LiveLayer:
    """The configured layer of this process."""
    return cast(LiveLayer, get_channel_layer())


class LiveLoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]  # channels_redis has no types
    """The layer of one event loop: spreads groups over shards."""

    groups: dict[str, set[str]]
    channels: dict[str, "asyncio.Queue[Any]"]

    def __init__(self, hosts: Any = None, **options: Any) -> None:
        super().__init__(hosts, **options)
        self._shards = [Shard(host, self) for host in decode_hosts(hosts)]

    async def receive_many(self, channel: str, *, limit: int) -> list[Any]:
        received = [await self.receive(channel)]
        queue = self.channels.get(channel)
        while queue is not None and not queue.empty() and len(received) < limit:
            received.append(queue.get_nowait())
        return received

    async def group_add_many(self, groups: Sequence[str], channel: str) -> None:
        names = [self._get_group_channel_name(group) for group in groups]
        for name in names:
            self.groups.setdefault(name, set()).add(channel)
        shards = self.by_shard(names)
        await asyncio.gather(*(shard.subscribe_many(names) for shard, names in shards.items()))

    async def group_discard_many(self, groups: Sequence[str], channel: str) -> None:
        emptied = []
        for group in groups:
            name = self._get_group_channel_name(group)
            members = self.groups.get(name, set())
            members.discard(channel)
            if not members and self.groups.pop(name, None) is not None:
                emptied.append(name)
        shards = self.by_shard(emptied)
        for shard, names in shards.items():
            shard.forget(names)
        for shard, names in shards.items():
            await shard.unsubscribe_forgotten(names)

    async def group_send_many(self, messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        shards: dict[Shard, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        for group, message in messages:
            name = self._get_group_channel_name(group)
            shards[self._get_shard(name)].append((name, message))
        await asyncio.gather(*(shard.publish_many(each) for shard, each in shards.items()))

    def shard_of(self, key: str) -> Shard:
        """The shard on which a key of our own belongs."""
        shard: Shard = self._get_shard(key)
        return shard

    def by_shard(self, names: Iterable[str]) -> dict[Shard, list[str]]:
        shards: dict[Shard, list[str]] = defaultdict(list)
        for name in names:
            shards[self._get_shard(name)].append(name)
        return shards
