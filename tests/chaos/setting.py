"""The stage: a platform of the run's own with everything that surrounds it, taken down whatever happens."""

import asyncio
import contextlib
import json
import random
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from standardwebhooks.webhooks import Webhook

from tests.chaos.listeners import Listener
from tests.chaos.plan import Plan
from tests.chaos.post_office import PostOffice
from tests.chaos.receivers import Receivers
from tests.fixtures.platform import Platform, remove_data

# Long enough for a busy machine, short enough to be lived through many times in a run.
LEASE_SECONDS: Final = 10
CONNECTED_SECONDS: Final = 30.0
RETRIES: Final = [1, 1, 2, 3, 4, 5, 6, 8, 8, 8, 8, 8]


@dataclass(frozen=True)
class Setting:
    """Everything that takes part."""

    platform: Platform
    receivers: Receivers
    post_office: PostOffice
    listeners: list[Listener]


@contextlib.asynccontextmanager
async def open_setting(plan: Plan, *, listeners: int, env: Mapping[str, str] | None = None) -> AsyncIterator[Setting]:
    """Start it all, add the plan's recipients with their endpoints, and open the sockets."""
    rng = random.Random(f"{plan.seed} surroundings")
    receivers, post_office = Receivers(rng), PostOffice(rng)
    async with contextlib.AsyncExitStack() as stack:
        for side in (receivers, post_office):
            await side.open()
            stack.push_async_callback(side.aclose)
        data_dir = Path(tempfile.mkdtemp(prefix="carillon-chaos-"))
        stack.callback(remove_data, data_dir)
        platform = await asyncio.to_thread(Platform, data_dir, _environment(post_office) | dict(env or {}))
        stack.push_async_callback(asyncio.to_thread, platform.stop)
        await asyncio.to_thread(_add_recipients, platform, plan, receivers)
        ears = [_listener(platform, name, rng) for name in plan.recipients[:listeners]]
        tasks = [asyncio.create_task(ear.run(), name=f"listener-{ear.recipient}") for ear in ears]
        stack.push_async_callback(_end, tasks)
        async with asyncio.timeout(CONNECTED_SECONDS):
            # From here on they are told everything: what came before a first connect is none of a socket's business.
            await asyncio.gather(*(ear.connected.wait() for ear in ears))
        yield Setting(platform, receivers, post_office, ears)


def _environment(post_office: PostOffice) -> dict[str, str]:
    return {
        "SMTP_URL": post_office.url,
        "WEB_PROCESSES": "2",
        "WORKER_PROCESSES": "2",
        "CARILLON_LOG": "WARNING",
        "CARILLON_LEASE_SECONDS": str(LEASE_SECONDS),
        "CARILLON_RETRY_SECONDS": json.dumps({"webhook": RETRIES, "email": RETRIES}),
    }


def _add_recipients(platform: Platform, plan: Plan, receivers: Receivers) -> None:
    for name in plan.recipients:
        _ask(platform, "PUT", f"/v1/recipients/{name}", {"email": f"{name}@example.com"})
        endpoint = _ask(
            platform,
            "POST",
            f"/v1/recipients/{name}/endpoints",
            {"channel": "webhook", "url": f"{receivers.url}/{name}"},
        )
        receivers.secrets[name] = Webhook(endpoint["secret"])


def _listener(platform: Platform, name: str, rng: random.Random) -> Listener:
    token = _ask(platform, "POST", f"/v1/recipients/{name}/tokens", None)["token"]
    return Listener(name, url=platform.url, token=token, rng=rng)


def _ask(platform: Platform, method: str, path: str, body: dict[str, Any] | None) -> Any:
    answer = platform.http.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
