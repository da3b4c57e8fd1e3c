"""The channel layer: channels_redis' publish/subscribe layer, which here also says when it was interrupted.

The stock layer resubscribes in silence after a broken connection, waits for ever on a frozen server, writes a traceback
every second while Redis is away, and joins groups one round trip at a time. This one keeps its interface and adds
`group_add_many`, `group_discard_many`, `publish_hints` (one write for many) and `publish_one`, channels that take hints
as they come, `watch` (called on interruption and on return) and the connections to its Redis for commands of our own. Joining
never fails: what could not be joined now is joined when Redis is back, and `watch` tells.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast
from uuid import uuid4

from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer
from channels_redis.utils import _wrap_close, decode_hosts
from redis.asyncio import Redis

from notifications.events import Hint
from notifications.inbox.hints import PackedHint, packed, unpacked
from notifications.inbox.shard import Shard

TakeHints = Callable[[Sequence[PackedHint]], None]


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

    def new_hints_channel(self, prefix: str, take: TakeHints) -> str:
        """`new_channel` for one who knows by itself whom hints are for: `take` is called on the running loop with what arrives,
        in order and packed, hints for others among it. It is to be quick, and raises nothing."""
        return self._get_layer().new_hints_channel(prefix, take)

    def deserialize(self, message: Any) -> Any:
        """Shards read what arrives once for all its receivers; only for their own use there are bytes here."""
        return super().deserialize(message) if isinstance(message, bytes) else message

    async def group_add_many(self, groups: Sequence[str], channel: str) -> None:
        """`group_add` for many groups; returns when Redis has confirmed, or after a second at the latest."""
        await self._get_layer().group_add_many(groups, channel)

    async def group_discard_many(self, groups: Sequence[str], channel: str) -> None:
        """`group_discard` for many groups. What it forgets is forgotten before it first waits."""
        await self._get_layer().group_discard_many(groups, channel)

    async def publish_hints(self, hints: Sequence[Hint]) -> None:
        """`group_send` of each to its recipient's group, in order. Raises `REDIS_FAILED`."""
        await self._get_layer().publish_hints(hints)

    async def publish_one(self, hint: Hint, *, asking: str) -> bytes | None:
        """`publish_hints` of one; the value of the key `asking` as it is then. Raises `REDIS_FAILED`."""
        return await self._get_layer().publish_one(hint, asking=asking)

    def client_for(self, key: str) -> Redis:
        """A client of the Redis on which `key` belongs, for commands of our own; it lives and ends with the layer."""
        return self._get_layer().shard_of(key).client

    def clients(self) -> list[Redis]:
        """A client of each Redis."""
        return [shard.client for shard in self._get_layer().shards]

    def by_client(self, keys: Iterable[str]) -> dict[Redis, list[str]]:
        """Each Redis with those of `keys` that belong there."""
        return {shard.client: names for shard, names in self._get_layer().by_shard(keys).items()}

    async def quick_get(self, key: str) -> bytes | None:
        """The value of `key`. Raises `REDIS_FAILED`; the time limit is the caller's."""
        return await self._get_layer().shard_of(key).quick.get(key)

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
        self._shards: list[Shard] = [Shard(host, self) for host in decode_hosts(hosts)]
        self._takers: dict[str, TakeHints] = {}

    def new_hints_channel(self, prefix: str, take: TakeHints) -> str:
        channel = f"{self.prefix}{prefix}{uuid4().hex}"
        self._takers[channel] = take
        return channel

    def hand_over(self, name: str, content: Any) -> None:
        """Give what was published under this name to everyone here it is for: one message, or a list of packed hints."""
        hints = content if isinstance(content, list) else None
        for channel in self.groups.get(name, (name,)):
            if (take := self._takers.get(channel)) is not None:
                take([packed(content)] if hints is None else hints)
            elif (queue := self.channels.get(channel)) is not None:
                for message in [content] if hints is None else map(unpacked, hints):
                    queue.put_nowait(message)

    def hand_over_many(self, hints: Sequence[PackedHint]) -> None:
        """`hand_over` of hints for many recipients, which were published together."""
        for take in self._takers.values():
            take(hints)
        if not self.channels:
            return
        for hint in hints:
            for channel in self.channels.keys() & self.groups.get(self.group_name(hint[0]), set()):
                self.channels[channel].put_nowait(unpacked(hint))

    def group_name(self, recipient: str) -> str:
        """The name under which hints for one recipient are published."""
        return f"{self.prefix}__group__inbox.{recipient}"

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

    async def publish_hints(self, hints: Sequence[Hint]) -> None:
        if len(self._shards) == 1:
            await self._shards[0].publish_hints(hints)
            return
        shards: dict[Shard, list[Hint]] = defaultdict(list)
        for hint in hints:
            shards[self._get_shard(self.group_name(hint["recipient"]))].append(hint)
        await asyncio.gather(*(shard.publish_hints(each) for shard, each in shards.items()))

    async def publish_one(self, hint: Hint, *, asking: str) -> bytes | None:
        shard, other = self.shard_of(self.group_name(hint["recipient"])), self.shard_of(asking)
        if shard is other:
            return await other.publish_one(hint, asking=asking)
        _, value = await asyncio.gather(shard.publish_hints([hint]), other.quick.get(asking))
        return value

    @property
    def shards(self) -> list[Shard]:
        return self._shards

    async def flush(self) -> None:
        self._takers.clear()
        await super().flush()

    def shard_of(self, key: str) -> Shard:
        """The shard on which a key of our own belongs."""
        shard: Shard = self._get_shard(key)
        return shard

    def by_shard(self, names: Iterable[str]) -> dict[Shard, list[str]]:
        shards: dict[Shard, list[str]] = defaultdict(list)
        for name in names:
            shards[self._get_shard(name)].append(name)
        return shards
