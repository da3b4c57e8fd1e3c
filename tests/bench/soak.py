"""Does a worker grow? Steady mixed traffic for a while, and the memory of every worker process written down.

    python -m tests.bench.soak --minutes 20

Before that it is warmed up with denser traffic, until every process's caches have been filled and turned over: each keeps the last
five hundred notifications of a channel. Then it settles at the pace that is measured, for the allocator keeps what the denser
traffic left in other places. Then a straight line is laid through each process's samples (least squares); "flat" is a slope of
less than 1 % of its size in ten minutes. A worker process that was replaced meanwhile would hide growth, so that is a failure too.
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
WARM_UP_SECONDS = 300.0
WARM_UP_PAUSE_SECONDS = 0.12
SETTLING_SECONDS = 300.0
FLAT_PERCENT_PER_TEN_MINUTES = 1.0
PATIENCE_SECONDS = 120.0


@dataclass
class Growth:
    """Samples of one process: seconds since the start, and MB of private memory (USS)."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def percent_per_ten_minutes(self) -> float:
        """Slope of the line through all samples."""
        slope, _ = linear_regression(self.seconds, self.megabytes)
        return slope * 600 / median(self.megabytes) * 100

    def by_minute(self) -> list[float]:
        """The first sample of every minute."""
        sizes: dict[int, float] = {}
        for second, size in zip(self.seconds, self.megabytes, strict=True):
            sizes.setdefault(int(second // 60), round(size, 1))
        return list(sizes.values())


def soak(minutes: float, console: Console) -> dict[str, Any]:
    """The report, as JSON would have it."""
    with Sink("smtp") as mail, Sink("http") as hooks:
        env = {"SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "CARILLON_WEBHOOK_ALLOW": "127.0.0.0/8"}
        with running_platform(env) as platform:
            _populate(platform, hooks)
            console.print(f"warming up for {WARM_UP_SECONDS / 60:g} minutes")
            warmed, _ = _run(platform, "warm-up", WARM_UP_SECONDS, WARM_UP_PAUSE_SECONDS, console)
            console.print(f"settling for {SETTLING_SECONDS / 60:g} minutes")
            settled, _ = _run(platform, "settling", SETTLING_SECONDS, PAUSE_SECONDS, console)
            accepted, growths = _run(platform, "measured", minutes * 60, PAUSE_SECONDS, console)
            expected = (warmed + settled + accepted) * RECIPIENTS
            for sink in (mail, hooks):
                _wait_for(sink, expected)
    slopes = [round(growth.percent_per_ten_minutes(), 3) for growth in growths.values()]
    whole = all(growth.seconds[0] < 60 and growth.seconds[-1] > minutes * 60 - 60 for growth in growths.values())
    return {
        "command": command(),
        "machine": machine(),
        "minutes": minutes,
        "deliveries_per_channel": expected,
        "worker_mb_by_minute": [growth.by_minute() for growth in growths.values()],
        "growth_percent_per_ten_minutes": slopes,
        "no_worker_was_replaced": whole,
        "flat": whole and max(slopes) < FLAT_PERCENT_PER_TEN_MINUTES,
    }


def _populate(platform: Platform, hooks: Sink) -> None:
    names = [f"user-{number:05}" for number in range(RECIPIENTS)]
    for name in names:
        checked(platform, "PUT", f"/v1/recipients/{name}", {"email": f"{name}@example.com"})
        endpoint = {"channel": "webhook", "url": f"http://127.0.0.1:{hooks.port}/{name}"}
        checked(platform, "POST", f"/v1/recipients/{name}/endpoints", endpoint)
    checked(platform, "PUT", f"/v1/topics/{TOPIC}", {"name": "Everybody"})
    checked(platform, "POST", f"/v1/topics/{TOPIC}/subscriptions", {"recipients": names})


def _run(
    platform: Platform, phase: str, seconds: float, pause: float, console: Console
) -> tuple[int, dict[int, Growth]]:
    """Send all the time, look now and then; how much was accepted, and what each worker process weighed."""
    growths: dict[int, Growth] = {}
    accepted, started, next_look = 0, time.monotonic(), 0.0
    while (now := time.monotonic() - started) < seconds:
        body = {
            "recipients": [{"topic": TOPIC}],
            "channels": ["in_app", "email", "webhook"],
            # Another text each time, as in life: what is kept of it must be let go again.
            "content": CONTENT | {"title": f"Planned maintenance, {phase} {accepted}"},
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
        time.sleep(pause)
    return accepted, growths


def _wait_for(sink: Sink, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (total := sink.total()).count < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{total.count} of {count} arrived")
        time.sleep(0.2)


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
