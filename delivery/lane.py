"""One channel's way out of one worker process: claims what is due, sends it concurrently, never more than fits.

Two bounds: the transport says how many sends may run at once; a window, wider for transports with few connections, says how
much may be claimed, so that those never wait for a transaction. A place in the window is held from the claim until the outcome is in
the database, so a slow receiver or a slow database throttles claiming instead of piling up work. What could not
be begun well before its lease ends is given back untouched.
"""

import asyncio
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog

from delivery.claims import Claim, Message, claim, read_messages
from delivery.conf import DeliveryConf
from delivery.finishes import Finish, Finisher
from delivery.retries import Verdict, give_back, judge
from delivery.transports.base import (
    Content,
    DeliveryError,
    Outbound,
    PermanentFailure,
    Receipt,
    TemporaryFailure,
    Transport,
)
from notifications import ids
from notifications.database import Pool
from notifications.sealing import unseal

log = structlog.get_logger(__name__)

_REMEMBERED: Final = 500


class Lane:
    """The sending side of one channel in this process."""

    def __init__(
        self,
        transport: Transport[Any],
        pool: Pool,
        finisher: Finisher,
        conf: DeliveryConf,
    ) -> None:
        self.channel = transport.channel
        self._transport = transport
        self._pool = pool
        self._finisher = finisher
        self._conf = conf
        self._window = max(transport.max_in_flight, conf.claim_window)
        self._sending = asyncio.Semaphore(transport.max_in_flight)
        self._draining = False
        self._running: set[asyncio.Task[None]] = set()
        self._messages: OrderedDict[UUID, Message] = OrderedDict()

    async def step(self) -> bool:
        """Claim one batch and start its attempts, which may outlive the call; whether more may be due."""
        limit = min(await self._room(), self._conf.send_batch)
        # Counted from before the claim: its answer may be late, and the lease runs from the moment it was made.
        latest = time.monotonic() + self._conf.begin_within_seconds
        seen, claims = await self._claim(limit)
        for item, message in claims:
            task = asyncio.create_task(self._attempt(item, message, latest))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return seen == limit

    async def drain(self) -> None:
        """Give back what has not begun and wait for the attempts that are under way."""
        self._draining = True
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _room(self) -> int:
        """Wait until a good part of the slots is free, so that claims come in batches; how many are."""
        while len(self._running) > self._window - max(1, self._window // 4):
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        return self._window - len(self._running)

    async def _claim(self, limit: int) -> tuple[int, list[tuple[Claim, Message]]]:
        async with self._pool.connection() as connection:
            seen, claims = await claim(
                connection,
                channel=self.channel,
                limit=limit,
                lease_seconds=self._conf.lease_seconds,
                max_claims=self._conf.max_claims,
            )
            unknown = {item.notification_id for item in claims} - self._messages.keys()
            if unknown:
                self._messages.update(await read_messages(connection, list(unknown)))
        pairs = [
            (item, self._messages[item.notification_id]) for item in claims if item.notification_id in self._messages
        ]
        while len(self._messages) > _REMEMBERED:
            self._messages.popitem(last=False)
        return seen, pairs

    async def _attempt(self, item: Claim, message: Message, latest: float) -> None:
        """One attempt, from its turn to its recorded outcome; not begun after `latest` (monotonic)."""
        async with self._sending:
            began = time.monotonic()
            if self._draining or began > latest:
                verdict, response = give_back(item.retry_step), {}
            else:
                result = await self._send(item, message)
                verdict, response = self._judge(item, result), dict(result.response)
            ended = time.monotonic()
        await self._finisher.write(
            Finish(
                delivery_id=item.delivery_id,
                token=item.token,
                endpoint_id=item.endpoint_id,
                channel=self.channel,
                verdict=verdict,
                duration_ms=int((ended - began) * 1000),
                response=response,
            )
        )

    def _judge(self, item: Claim, result: Receipt | DeliveryError) -> Verdict:
        return judge(
            result,
            retry_step=item.retry_step,
            schedule=self._conf.retry_seconds.get(self.channel, ()),
            jitter=self._conf.retry_jitter,
            provider_pause=self._conf.provider_pause_seconds,
            age=datetime.now(UTC) - item.created_at,
        )

    async def _send(self, item: Claim, message: Message) -> Receipt | DeliveryError:
        try:
            payload = self._transport.render(_outbound(self.channel, item, message))
            async with asyncio.timeout(self._conf.attempt_timeout_seconds):
                return await self._transport.send(payload)
        except DeliveryError as error:
            return error
        except TimeoutError:
            return TemporaryFailure("timeout")
        except Exception:
            log.exception("attempt_crashed", delivery=ids.encode("dlv", item.delivery_id), channel=self.channel)
            return TemporaryFailure("internal_error")


def _outbound(channel: str, item: Claim, message: Message) -> Outbound:
    """What the transport may know. Raises `PermanentFailure` when the address went away after routing."""
    if item.recipient is None:
        raise PermanentFailure("recipient_erased")
    if item.endpoint_id is not None and item.endpoint_state != "enabled":
        raise PermanentFailure("endpoint_disabled" if item.endpoint_state else "endpoint_deleted")
    address = item.url if item.endpoint_id is not None else item.email
    if not address:
        raise PermanentFailure(f"no_{channel}")
    return Outbound(
        delivery_id=ids.encode("dlv", item.delivery_id),
        notification_id=ids.encode("ntf", item.notification_id),
        recipient_id=item.recipient,
        recipient_name=item.name,
        address=address,
        secrets=(unseal(item.sealed_secret),) if item.sealed_secret else (),
        content=Content(
            title=message.content.get("title") or "",
            body=message.content.get("body") or "",
            action_url=message.content.get("action_url"),
        ),
        data=message.data,
        event_type=message.workflow or "notification",
        category=message.category,
        attempt=item.attempt,
        created_at=message.created_at,
    )
