"""Does a worker grow? Steady mixed traffic for a while, and the memory of every worker process written down.

    python -m tests.bench.soak --minutes 20

The first quarter is warming up: caches fill. Over the rest a straight line is laid through each process's samples (least
squares); "flat" is a slope of less than 1 % of its size in ten minutes. A worker process that was replaced meanwhile would
hide growth, so that is a failure too.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import psutil
from rich.console import Console

from tests.bench.deliveries import CONTENT, TOPIC, checked
from tests.bench.processes import ROOT, forget_operator_settings, running_platform
from tests.bench.report import command, machine
from tests.bench.sinks import Sink
from tests.fixtures.platform import Platform

RECIPIENTS = 50
SAMPLE_SECONDS = 5.0
PAUSE_SECONDS = 0.5
FLAT_PERCENT_PER_TEN_MINUTES = 1.0
PATIENCE_SECONDS = 120.0


@dataclass
class Growth:
    """Samples of one process: seconds since the start, and MB of private memory (USS)."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def percent_per_ten_minutes(self, since: float) -> float:
        """Slope of the line through what was seen after `since`."""
        late = [pair for pair in zip(self.seconds, self.megabytes, strict=True) if pair[0] >= since]
        slope, _ = linear_regression(*zip(*late, strict=True))
        return slope * 600 / median(size for _, size in late) * 100


def soak(minutes: float, console: Console) -> dict[str, Any]:
    """The report, as JSON would have it."""
    with Sink("smtp") as mail, Sink("http") as hooks:
        env = {"SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "CARILLON_WEBHOOK_ALLOW": "127.0.0.0/8"}
        with running_platform(env) as platform:
            _populate(platform, hooks)
            growths, accepted = _run(platform, minutes * 60, console)
            expected = accepted * RECIPIENTS
            for sink in (mail, hooks):
                _wait_for(sink, expected)
    since = minutes * 60 / 4
    slopes = {str(pid): round(growth.percent_per_ten_minutes(since), 3) for pid, growth in growths.items()}
    whole = all(growth.seconds[0] < since and growth.seconds[-1] > minutes * 60 * 0.95 for growth in growths.values())
    return {
        "command": command(),
        "machine": machine(),
        "minutes": minutes,
        "deliveries_per_channel": expected,
        "worker_mb_at_quarter": [round(_at(growth, since), 1) for growth in growths.values()],
        "worker_mb_at_end": [round(growth.megabytes[-1], 1) for growth in growths.values()],
        "growth_percent_per_ten_minutes": list(slopes.values()),
        "no_worker_was_replaced": whole,
        "flat": whole and max(slopes.values()) < FLAT_PERCENT_PER_TEN_MINUTES,
    }


def _populate(platform: Platform, hooks: Sink) -> None:
    names = [f"user-{number:05}" for number in range(RECIPIENTS)]
    for name in names:
        checked(platform, "PUT", f"/v1/recipients/{name}", {"email": f"{name}@example.com"})
        endpoint = {"channel": "webhook", "url": f"http://127.0.0.1:{hooks.port}/{name}"}
        checked(platform, "POST", f"/v1/recipients/{name}/endpoints", endpoint)
    checked(platform, "PUT", f"/v1/topics/{TOPIC}", {"name": "Everybody"})
    checked(platform, "POST", f"/v1/topics/{TOPIC}/subscriptions", {"recipients": names})


def _run(platform: Platform, seconds: float, console: Console) -> tuple[dict[int, Growth], int]:
    """Send all the time, look now and then; what each worker process weighed, and how much was accepted."""
    growths: dict[int, Growth] = {}
    accepted, started, next_look = 0, time.monotonic(), 0.0
    while (now := time.monotonic() - started) < seconds:
        body = {
            "recipients": [{"topic": TOPIC}],
            "channels": ["in_app", "email", "webhook"],
            # Another text each time, as in life: what is kept of it must be let go again.
            "content": CONTENT | {"title": f"Planned maintenance, part {accepted}"},
        }
        checked(platform, "POST", "/v1/notifications", body)
        accepted += 1
        if now >= next_look:
            next_look = now + SAMPLE_SECONDS
            for pid in platform.pids()["worker_child"]:
                growth = growths.setdefault(pid, Growth())
                growth.seconds.append(now)
                growth.megabytes.append(psutil.Process(pid).memory_full_info().uss / 1024**2)
            if len(next(iter(growths.values())).seconds) % 12 == 1:
                sizes = ", ".join(f"{growth.megabytes[-1]:.1f}" for growth in growths.values())
                console.print(f"{now / 60:4.1f} min: {accepted * RECIPIENTS:,} per channel, workers {sizes} MB")
        time.sleep(PAUSE_SECONDS)
    return growths, accepted


def _wait_for(sink: Sink, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (total := sink.total()).count < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{total.count} of {count} arrived")
        time.sleep(0.2)


def _at(growth: Growth, second: float) -> float:
    return next(size for when, size in zip(growth.seconds, growth.megabytes, strict=True) if when >= second)


def main() -> int:
    """0 when flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--output", type=Path, default=ROOT / ".data/bench/soak.json")
    options = parser.parse_args()
    forget_operator_settings()
    report = soak(options.minutes, Console())
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    Console().print_json(json.dumps(report))
    return 0 if report["flat"] else 1


if __name__ == "__main__":
    sys.exit(main())
