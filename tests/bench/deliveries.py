"""Deliveries per second through the whole pipeline: one POST to a topic, until the last one has arrived.

Shared by the figures of the channels. What runs is what `make up` runs; the receiver is a process of its own, and
the bare loop of the same round writes the same bytes to the same receiver.
"""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil

from tests.bench.processes import ask_module, running_platform
from tests.bench.report import Bench, Goal
from tests.bench.sinks import Sink, Total
from tests.fixtures.platform import Platform

Spent = dict[tuple[str, int], float]

TOPIC = "everybody"
SUBSCRIBERS = 10000
PATIENCE_SECONDS = 180.0
CONTENT = {
    "title": "Planned maintenance on Sunday",
    "body": "We move to new machines on **Sunday from 02:00 to 03:00 UTC**.\n\n- Reading stays possible\n- Writing is paused\n\n"
    "Nothing has to be done on your side; questions are welcome at any time.",
    "action_url": "https://status.example.com/maintenance/2041",
}


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One figure: the product's channel and the plainer way beside it."""

    name: str
    sink: str
    bare: Callable[[Sink, Total, int], dict[str, Any]]
    """Makes the order for `tests.bench.bare_loops` from the receiver and a sample of what the product sent."""
    env: Callable[[Sink], dict[str, str]]
    subscribe: Callable[[Platform, Sink, str], None]
    goal: Goal


def measure(bench: Bench, channel: Channel) -> None:
    """Rounds of product and bare loop in turn, after one delivery to everybody that is not counted."""
    subscribers = SUBSCRIBERS // 4 if bench.quick else SUBSCRIBERS
    bare_name = f"{channel.name}: bare loop"
    with Sink(channel.sink) as sink, running_platform(channel.env(sink)) as platform:
        bench.say(f"{channel.name}: {subscribers} subscribers are made")
        _populate(platform, channel, sink, subscribers)
        _deliver(platform, channel, sink, subscribers)
        sample = sink.total()
        for number in bench.rounds(channel.name, 5):
            before = _cpu_seconds(platform)
            arrived, finished = _deliver(platform, channel, sink, subscribers)
            after = _cpu_seconds(platform)
            bench.add(channel.name, "deliveries/s", subscribers / arrived)
            bench.note(channel.name, "until all are terminal, s", finished)
            _note_cpu(bench, channel.name, before, after, subscribers)
            sink.reset()
            started = ask_module("tests.bench.bare_loops", channel.bare(sink, sample, subscribers))["started"]
            total = _wait_for(sink, subscribers)
            bench.add(bare_name, "deliveries/s", subscribers / (total.last - started))
            bench.say(
                f"{channel.name}, round {number}: {subscribers / arrived:,.0f}/s, "
                f"bare loop {subscribers / (total.last - started):,.0f}/s"
            )
    bench.compare(channel.name, bare_name, channel.goal)


def _populate(platform: Platform, channel: Channel, sink: Sink, subscribers: int) -> None:
    ids = [f"user-{number:05}" for number in range(subscribers)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda recipient: channel.subscribe(platform, sink, recipient), ids))
    checked(platform, "PUT", f"/v1/topics/{TOPIC}", {"name": "Everybody"})
    for start in range(0, subscribers, 1000):
        checked(platform, "POST", f"/v1/topics/{TOPIC}/subscriptions", {"recipients": ids[start : start + 1000]})


def checked(platform: Platform, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call that has to succeed; the decoded answer."""
    answer = platform.http.request(method, path, json=body)
    if answer.is_error:
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
    return answer.json() if answer.content else None


def _deliver(platform: Platform, channel: Channel, sink: Sink, subscribers: int) -> tuple[float, float]:
    """Seconds from the 202 to the last arrival, and to the last terminal state."""
    sink.reset()
    body = {"recipients": [{"topic": TOPIC}], "channels": [channel.name], "content": CONTENT}
    notification = checked(platform, "POST", "/v1/notifications", body)["id"]
    accepted = time.monotonic()
    arrived = _wait_for(sink, subscribers).last - accepted
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (states := _states(platform, notification)) != {"sent": subscribers}:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{channel.name}: not all deliveries were sent: {states}")
        time.sleep(0.02)
    finished = time.monotonic() - accepted
    if (total := sink.total()).count != subscribers:
        raise RuntimeError(f"{channel.name}: {total.count} arrivals of {subscribers} deliveries")
    return arrived, finished


def _states(platform: Platform, notification: str) -> dict[str, int]:
    counts: dict[str, int] = checked(platform, "GET", f"/v1/notifications/{notification}")["deliveries"]
    return {state: count for state, count in counts.items() if count}


def _wait_for(sink: Sink, count: int) -> Total:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (total := sink.total()).count < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{total.count} of {count} arrived within {PATIENCE_SECONDS:g} s")
        time.sleep(0.02)
    return total


def _cpu_seconds(platform: Platform) -> Spent:
    """By role and process; PostgreSQL's backends count for it."""
    spent: Spent = {}
    for role, pids in platform.pids().items():
        backends = [child.pid for pid in pids if role == "postgres" for child in psutil.Process(pid).children()]
        for pid in [*pids, *backends]:
            with contextlib.suppress(psutil.NoSuchProcess):  # a backend whose connection has just ended
                times = psutil.Process(pid).cpu_times()
                spent[role, pid] = times.user + times.system
    return spent


def _note_cpu(bench: Bench, name: str, before: Spent, after: Spent, deliveries: int) -> None:
    used: dict[str, float] = {}
    for key, seconds in after.items():
        used[key[0]] = used.get(key[0], 0.0) + seconds - before.get(key, 0.0)
    for role, seconds in used.items():
        bench.note(name, f"CPU ms/delivery, {role}", seconds / deliveries * 1000)
