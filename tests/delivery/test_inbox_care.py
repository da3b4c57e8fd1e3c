"""The stage that looks after inboxes, as a worker runs it: what expires is told, and what is beyond retention goes."""

import asyncio
from datetime import timedelta
from typing import Any

from delivery import inbox_care
from delivery.inbox_care import InboxCare
from notifications.clock import utc_now
from notifications.database import make_pool
from notifications.events import LiveEvent
from notifications.inbox.keep import Keep
from tests.delivery.test_engine import running
from tests.delivery.world import World


async def test_a_message_is_in_the_inbox_until_its_notification_expires(world: World) -> None:
    ends = utc_now() + timedelta(seconds=3)
    async with running():
        notification = await world.accept(["u1"], expires_at=ends.isoformat())
        await world.wait_for_states(notification, "delivered")
        (message,) = await world.rows("SELECT expires_at, gone_at FROM notifications_inboxmessage")
        assert (message["expires_at"], message["gone_at"]) == (ends, None)
        async with asyncio.timeout(30):
            while not await world.rows("SELECT FROM notifications_inboxmessage WHERE gone_as = 'message.expired'"):  # noqa: ASYNC110 (another connection makes it)
                await asyncio.sleep(0.1)
    (inbox,) = await world.rows('SELECT "offset", unread, unseen FROM notifications_inbox')
    assert inbox == {"offset": 2, "unread": 0, "unseen": 0}
    assert (await world.delivery(notification))["state"] == "delivered"


async def test_a_pass_keeps_what_is_to_be_kept_and_comes_seldom(world: World, monkeypatch: Any) -> None:
    async with running():
        for _ in range(5):
            await world.wait_for_states(await world.accept(["u1"]), "delivered")
    monkeypatch.setattr(inbox_care, "_PASS_SECONDS", 0.0)
    told: list[LiveEvent] = []
    pool = make_pool(max_size=1)
    await pool.open()
    care = InboxCare(pool, Keep(messages=2, changes=4), told.extend)
    monkeypatch.undo()
    while await care.step():
        pass
    assert [(event["event"], event["counts"]["unread"]) for event in told] == [
        ("message.expired", n) for n in (4, 3, 2)
    ]
    (inbox,) = await world.rows('SELECT "offset", kept_from FROM notifications_inbox')
    assert inbox == {"offset": 8, "kept_from": 5}
    assert not await care.step()
    await pool.close()
