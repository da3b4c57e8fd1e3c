"""`group_send` from another process, as a worker would: `python -m tests.bench_sockets.stock.publisher`."""

import json
import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench_sockets.stock.settings")

import django

django.setup()

from channels.layers import get_channel_layer  # noqa: E402

from tests.bench_sockets.contender import wording  # noqa: E402
from tests.bench_sockets.publisher import obey  # noqa: E402


class Stock:
    """A broadcast is one message to the group of everybody."""

    async def prepare(self, marks: Sequence[int], clients: Sequence[int]) -> tuple[str, dict[str, Any]]:
        group = "everybody" if len(marks) > 1 else f"user.{clients[0]}"
        return group, {"type": "bell.message", "message": json.loads(wording(marks[0]))}

    async def publish(self, prepared: tuple[str, dict[str, Any]]) -> None:
        await get_channel_layer().group_send(*prepared)


if __name__ == "__main__":
    obey(Stock())
