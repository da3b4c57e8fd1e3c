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

    async def prepare(self, marks: Sequence[int], clients: Sequence[int]) -> list[Any]:
        if len(marks) > 1 and len(set(marks)) == 1:
            return [("everybody", _message(marks[0]))]
        return [(f"user.{client}", _message(mark)) for mark, client in zip(marks, clients, strict=True)]

    async def publish(self, prepared: list[Any]) -> None:
        for group, message in prepared:
            await get_channel_layer().group_send(group, message)


def _message(mark: int) -> dict[str, Any]:
    return {"type": "bell.message", "message": json.loads(wording(mark))}


if __name__ == "__main__":
    obey(Stock())
