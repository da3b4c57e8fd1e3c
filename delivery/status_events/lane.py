"""The way out for status events in one worker process, apart from every delivery.

It has connections, places and a webhook transport of its own, so a caller whose callback hangs delays only what he is told
next, and a broadcast under way delays no callback. What is posted is an ordinary Standard Webhook whose `webhook-id` is the
event's id. At least once; in the order of the events as far as retries and several places allow.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from delivery.conf import DeliveryConf
from delivery.retries import Verdict, judge
from delivery.status_events.dispatching import Claim, claim, finish, forget
from delivery.status_events.shapes import encode_event
from delivery.transports.base import (
    Content,
    DeliveryError,
    Outbound,
    PermanentFailure,
    Receipt,
    TemporaryFailure,
)
from delivery.transports.webhook.transport import WebhookTransport
from notifications import ids
from notifications.clock import utc_now
from notifications.database import UNREACHABLE, make_pool
from notifications.sealing import unseal

log = structlog.get_logger(__name__)

_CONNECTIONS: Final = 2
_FORGET_SECONDS: Final = 3600.0
_CRASHES: Final = 5  # attempts without an outcome, beyond the schedule's


class StatusLane:
    """`wake` asks for another `step` soon. Construct it on the loop it will live on."""

    def __init__(self, transport: WebhookTransport, conf: DeliveryConf, wake: Callable[[], object]) -> None:
        self._transport = transport
        self._conf = conf
        self._wake = wake
        self._pool = make_pool(max_size=_CONNECTIONS)
        self._in_flight: Counter[UUID] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._forget_at = time.monotonic()

    async def start(self) -> None:
        """Open the connections."""
        await self._pool.open()

    async def step(self) -> bool:
        """Claim what there are places for and start telling; False, since every place that becomes free asks again."""
        await self._forget()
        room = self._conf.event_in_flight - len(self._running)
        if room > 0:
            async with self._pool.connection() as connection:
                claims = await claim(
                    connection,
                    limit=room,
                    per_endpoint=self._conf.event_in_flight_per_endpoint,
                    in_flight=self._in_flight,
                    lease_seconds=self._conf.lease_seconds,
                )
            for item in claims:
                self._begin(item)
        return False

    async def drain(self) -> None:
        """Wait for the attempts that are under way."""
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def aclose(self) -> None:
        """Break off what is still under way, to be repeated when its lease ends, and close everything."""
        for task in self._running:
            task.cancel()
        await self.drain()
        await self._transport.aclose()
        await self._pool.close()

    def _begin(self, item: Claim) -> None:
        self._in_flight[item.endpoint_id] += 1
        task = asyncio.create_task(self._tell(item), name="status-event")
        self._running.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._in_flight[item.endpoint_id] -= 1
            self._in_flight += Counter()  # only those that are busy
            if not task.cancelled():
                self._wake()

        task.add_done_callback(done)

    async def _tell(self, item: Claim) -> None:
        result = await self._send(item)
        verdict = self._judge(item, result)
        try:
            async with self._pool.connection() as connection:
                await finish(connection, item, verdict, result.response)
        except UNREACHABLE:
            log.warning("status_event_outcome_lost", event=ids.encode("evt", item.event_id))  # its lease runs out

    async def _send(self, item: Claim) -> Receipt | DeliveryError:
        if item.attempt > len(self._conf.event_retry_seconds) + 1 + _CRASHES:
            return PermanentFailure("poison")
        try:
            payload = self._transport.render(_outbound(item))
            body = encode_event(kind=item.kind, data=item.data, recipient=item.recipient, created_at=item.created_at)
            async with asyncio.timeout(self._conf.attempt_timeout_seconds):
                return await self._transport.send(replace(payload, body=body))
        except DeliveryError as error:
            return error
        except TimeoutError:
            return TemporaryFailure("timeout")
        except Exception:
            log.exception("status_event_crashed", event=ids.encode("evt", item.event_id))
            return TemporaryFailure("internal_error")

    def _judge(self, item: Claim, result: Receipt | DeliveryError) -> Verdict:
        return judge(
            result,
            retry_step=item.retry_step,
            schedule=self._conf.event_retry_seconds,
            jitter=self._conf.retry_jitter,
            provider_pause=self._conf.provider_pause_seconds,
            age=utc_now() - item.created_at,
        )

    async def _forget(self) -> None:
        if time.monotonic() < self._forget_at:
            return
        async with self._pool.connection() as connection:
            while await forget(connection, days=self._conf.event_retention_days):
                pass
        self._forget_at = time.monotonic() + _FORGET_SECONDS


def _outbound(item: Claim) -> Outbound:
    """The event in the terms of the webhook transport, which takes addresses, secrets and the id from it."""
    return Outbound(
        delivery_id=ids.encode("evt", item.event_id),
        notification_id="",
        recipient_id="",
        recipient_name=None,
        address=item.url,
        secrets=(unseal(item.sealed_secret),),
        content=Content(title="", body=""),
        data={},
        event_type=item.kind,
        category=None,
        attempt=item.attempt,
        created_at=item.created_at,
    )
