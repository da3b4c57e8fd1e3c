"""Emails per second, beside aiosmtplib with four kept connections that sends a ready message."""

from typing import Any

from tests.bench.deliveries import Channel, checked
from tests.bench.deliveries import measure as measure_channel
from tests.bench.report import Bench, Goal
from tests.bench.sinks import Sink, Total
from tests.fixtures.platform import Platform


def measure(bench: Bench) -> None:
    """The receiver stands where the operator's relay would."""
    measure_channel(
        bench,
        Channel(
            name="email",
            sink="smtp",
            bare=_bare,
            env=lambda sink: {"SMTP_URL": f"smtp://127.0.0.1:{sink.port}"},
            subscribe=_subscribe,
            goal=Goal(0.8, "0.8 x a bare aiosmtplib loop"),
        ),
    )


def _bare(sink: Sink, sample: Total, count: int) -> dict[str, Any]:
    return {"kind": "email", "port": sink.port, "count": count, "body": sample.sample}


def _subscribe(platform: Platform, sink: Sink, recipient: str) -> None:
    checked(platform, "PUT", f"/v1/recipients/{recipient}", {"email": f"{recipient}@example.com"})
