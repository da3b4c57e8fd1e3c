"""Webhook deliveries per second, beside plain httpx on the aiohttp transport at 100 in flight."""

from typing import Any

from tests.bench.deliveries import Channel, checked
from tests.bench.deliveries import measure as measure_channel
from tests.bench.report import Bench, Goal
from tests.bench.sinks import Sink, Total
from tests.fixtures.platform import Platform


def measure(bench: Bench) -> None:
    """One endpoint per recipient, all of them at one receiver."""
    measure_channel(
        bench,
        Channel(
            name="webhook",
            sink="http",
            bare=_bare,
            env=lambda sink: {},
            subscribe=_subscribe,
            goal=Goal(0.5, "0.5 x a bare httpx loop"),
        ),
    )


def _bare(sink: Sink, sample: Total, count: int) -> dict[str, Any]:
    return {"kind": "webhook", "port": sink.port, "count": count, "body": sample.sample}


def _subscribe(platform: Platform, sink: Sink, recipient: str) -> None:
    checked(platform, "PUT", f"/v1/recipients/{recipient}", {})
    endpoint = {"channel": "webhook", "url": f"http://127.0.0.1:{sink.port}/{recipient}"}
    checked(platform, "POST", f"/v1/recipients/{recipient}/endpoints", endpoint)
