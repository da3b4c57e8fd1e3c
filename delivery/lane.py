"""One channel's way out of one worker process: claims what is due, sends it concurrently, never more than fits.

Two bounds: the transport says how many sends may run at once; a window, wider for transports with few connections, says how
much may be claimed, so that those never wait for a transaction. A place in the window is held from the claim until the outcome is in
the database, so a slow receiver or a slow database throttles claiming instead of piling up work. What could not
be begun well before its lease ends is given back untouched.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import structlog

from delivery.claims import Claim, Message, claim, read_messages
from delivery.conf import DeliveryConf
from delivery.due import Round
from delivery.equipment import headers_of, secrets_of
from delivery.finish import Finish
from delivery.finishes import Finisher
from delivery.holding import ProviderHold
from delivery.isolation import Hold, Isolation
from delivery.keyring import Keyring
from delivery.mail_details import attachments, mail_details
from delivery.retries import Verdict, give_back, judge, put_off, withhold
from delivery.routing import EMAIL
from delivery.runs.filling import fill
from delivery.suppressing import withheld
from delivery.transports.base import (
    Content,
    DeliveryError,
    Describing,
    Outbound,
    PermanentFailure,
    Receipt,
    SigningKey,
    Suppressed,
    TemporaryFailure,
    Transport,
)
from delivery.troubles import Health
from delivery.wanting import unwanted_reason
from notifications import ids
from notifications.clock import utc_now
from notifications.database import Pool
from notifications.event_types import event_type_of

log = structlog.get_logger(__name__)

_REMEMBERED: Final = 500
_SOONEST_SECONDS: Final = 0.1
_LARGE_BODY: Final = 8192
"""Characters of Markdown beyond which rendering would hold up the loop; below, a thread costs more than it spares."""


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
        self._describe = transport.describe if isinstance(transport, Describing) else _nothing
        self._pool = pool
        self._finisher = finisher
        self._conf = conf
        self._window = max(transport.max_in_flight, conf.claim_window)
        # How much must be free before more is claimed: much, so that claims are few, as long as all connections stay busy.
        spare = self._window - transport.max_in_flight
        self._least = max(1, self._window // 4, min(spare, self._window // 2))
        self._isolation = Isolation(transport.channel, places=transport.max_in_flight, conf=conf)
        self._round = Round()
        self.wake: Callable[[], object] = lambda: None  # the engine puts the stage's own here
        self._holds: dict[UUID, Hold] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._draining = False
        self._running: set[asyncio.Task[None]] = set()
        self._messages: OrderedDict[UUID, Message] = OrderedDict()
        self._keyring = Keyring()
        self._provider_hold = ProviderHold(transport, pool)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._running)

    async def step(self) -> bool:
        """Claim one batch and start its attempts, which may outlive the call; whether more may be due."""
        limit = min(await self._room(), self._conf.send_batch, self._provider_hold.bound(len(self._running)))
        if limit == 0:
            await self._provider_hold.end_overdue()
            return False
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
        await self.rest()

    async def rest(self) -> None:
        """Wait for the attempts that are under way."""
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _room(self) -> int:
        """Wait until a good part of the slots is free, so that claims come in batches; how many are."""
        while len(self._running) > self._window - self._least:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        return self._window - len(self._running)

    async def _claim(self, limit: int) -> tuple[int, list[tuple[Claim, Message]]]:
        async with self._pool.connection() as connection:
            if self.channel == EMAIL:
                await self._keyring.refresh(
                    connection
                )  # before anything is claimed, so that a failure holds up nothing
            seen, claims = await claim(
                connection,
                channel=self.channel,
                limit=limit,
                lease_seconds=self._conf.lease_seconds,
                max_claims=self._conf.max_claims,
                after=self._round.after,
            )
            self._round.end(item.project_id for item in claims if not item.critical)
            reasons = await withheld(connection, claims) if self.channel == EMAIL else {}
            claims = [replace(c, suppressed=reasons[c.delivery_id]) if c.delivery_id in reasons else c for c in claims]
            self._holds |= await self._isolation.admit(connection, claims)
            unknown = {item.notification_id for item in claims} - self._messages.keys()
            if unknown:
                self._messages.update(await read_messages(connection, list(unknown)))
            pairs = await fill(connection, self.channel, claims, self._messages)
        while len(self._messages) > _REMEMBERED:
            self._messages.popitem(last=False)
        return seen, pairs

    async def _attempt(self, item: Claim, message: Message, latest: float) -> None:
        """One attempt, from its turn to its recorded outcome; not begun after `latest` (monotonic)."""
        response: dict[str, Any] = {}
        request: dict[str, Any] | None = None
        health: Health | None = None
        async with self._isolation.turn(item, self._holds.pop(item.token, None)) as hold:
            began = time.monotonic()
            if hold is not None:
                verdict = put_off(hold.reason, hold.seconds, attempt=item.attempt, retry_step=item.retry_step)
            elif self._draining or began > latest:
                verdict = give_back(item.retry_step)
            elif item.suppressed:
                verdict = withhold(item.suppressed, item.retry_step)
            else:
                result, request = await self._send(item, message)
                verdict, response = self._judge(item, result), dict(result.response)
                health = self._isolation.health(item, result)
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
                request=request,
                address=item.email,
                health=health,
            )
        )
        if hold is not None:
            self._come_back(hold.seconds)

    def _come_back(self, seconds: float) -> None:
        """Look again when what was put off is due, and not only at the next sweep; one timer, for the earliest."""
        if seconds > self._conf.sweep_seconds or self._timer is not None:
            return

        def look() -> None:
            self._timer = None
            if not self._draining:
                self.wake()

        self._timer = asyncio.get_running_loop().call_later(max(seconds, _SOONEST_SECONDS), look)

    def _judge(self, item: Claim, result: Receipt | DeliveryError) -> Verdict:
        own = item.retry_seconds
        return judge(
            result,
            retry_step=item.retry_step,
            schedule=self._conf.retry_seconds.get(self.channel, ()) if own is None else own,
            jitter=self._conf.retry_jitter,
            provider_pause=self._conf.provider_pause_seconds,
            age=utc_now() - item.since,
        )

    async def _send(self, item: Claim, message: Message) -> tuple[Receipt | DeliveryError, dict[str, Any] | None]:
        """What came of it, and what is to be remembered of the request, if there was one."""
        request: dict[str, Any] | None = None
        try:
            outbound = _outbound(self.channel, item, message, self._keyring.keys_of(message.project_id))
            if len(outbound.content.body) > _LARGE_BODY:
                payload = await asyncio.to_thread(self._transport.render, outbound)
            else:
                payload = self._transport.render(outbound)
            request = self._describe(payload)
            async with asyncio.timeout(self._conf.attempt_timeout_seconds):
                return await self._transport.send(payload), request
        except DeliveryError as error:
            return error, request
        except TimeoutError:
            return TemporaryFailure("timeout"), request
        except Exception:
            log.exception("attempt_crashed", delivery=ids.encode("dlv", item.delivery_id), channel=self.channel)
            return TemporaryFailure("internal_error"), request


def _nothing(payload: Any) -> None:
    """For transports that say nothing about their requests."""


def _outbound(channel: str, item: Claim, message: Message, keys: tuple[SigningKey, ...]) -> Outbound:
    """What the transport may know. Raises `PermanentFailure` or `Suppressed` for what changed after routing."""
    if item.recipient is None:
        raise PermanentFailure("recipient_erased")
    if unwanted := unwanted_reason(channel, item, message):
        raise Suppressed(unwanted)
    if item.endpoint_id is not None and item.endpoint_state != "enabled":
        raise PermanentFailure("endpoint_disabled" if item.endpoint_state else "endpoint_deleted")
    if "unsayable" in message.content:
        raise PermanentFailure("template_failed", response={"detail": message.content["unsayable"]})
    address = item.url if item.endpoint_id is not None else item.email
    if not address:
        raise PermanentFailure(f"no_{channel}")
    return Outbound(
        delivery_id=ids.encode("dlv", item.delivery_id),
        notification_id=ids.encode("ntf", item.notification_id),
        recipient_id=item.recipient,
        recipient_name=item.name,
        address=address,
        secrets=secrets_of(item.sealed_secret, item.sealed_old_secret),
        headers=headers_of(item.sealed_headers),
        content=Content(
            title=message.content.get("title") or "",
            body=message.content.get("body") or "",
            action_url=message.content.get("action_url"),
            attachments=attachments(message),
            html=message.content.get("html"),
        ),
        data=message.data,
        event_type=event_type_of(message.workflow),
        category=message.category,
        attempt=item.attempt,
        created_at=message.created_at,
        **(mail_details(item, message, address) if channel == EMAIL else {}),
        locale=item.locale,
        signing_keys=keys,
        project_id=item.project_id,
    )
