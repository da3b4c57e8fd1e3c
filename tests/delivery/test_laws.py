"""Every law finds what breaks it, nothing else, and the inspection writes it down."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from delivery import in_app
from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.inspection import find_broken, inspect_recent, read_sums
from delivery.laws import BROKEN, LAWS, SINCE_EVER, read_broken
from delivery.models import LawCheck
from delivery.route import route
from delivery.selectors import first_id_at
from tests.delivery.runs.flow import Flow, digest, listed
from tests.delivery.world import World, unheard

# What would have to happen for a law to be broken. The first ones are also refused by the table itself.
DEEDS: Final = {
    "notification_open_is_scheduled": """
        ALTER TABLE notifications_notification DROP CONSTRAINT notification_open_is_scheduled;
        UPDATE notifications_notification SET available_at = now() WHERE status = 'routed'""",
    "accepted_is_sum_of_states": "UPDATE delivery_delivery SET state = 'lost' WHERE state = 'delivered'",
    "routed_reaches_everybody": """
        DELETE FROM delivery_attempt; DELETE FROM delivery_delivery WHERE channel = 'email'""",
    "workflow_reaches_everybody": "DELETE FROM delivery_run; DELETE FROM schedules_digestitem",
    "run_waits_for_its_time": """
        ALTER TABLE delivery_run DROP CONSTRAINT run_waiting_or_finished;
        UPDATE delivery_run SET available_at = NULL""",
    "digest_is_carried": """
        UPDATE delivery_run SET state = 'done', reason = 'completed', available_at = NULL, finished_at = now()""",
    "digest_counts": "UPDATE schedules_digest SET count = count + 1",
    "digest_goes_out_once": """
        UPDATE delivery_delivery SET digest_id = id, step = 'a' WHERE channel = 'email';
        INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, state, step, digest_id, available_at)
        SELECT gen_random_uuid(), project_id, gen_random_uuid(), recipient_id, channel, 'queued', step, digest_id, now()
          FROM delivery_delivery WHERE channel = 'email'""",
    "delivery_open_or_finished": """
        ALTER TABLE delivery_delivery DROP CONSTRAINT delivery_open_or_finished;
        UPDATE delivery_delivery SET available_at = NULL WHERE state = 'sending'""",
    "lease_while_sending": "UPDATE delivery_delivery SET lease_token = NULL WHERE state = 'sending'",
    "attempts_are_counted": "DELETE FROM delivery_attempt WHERE outcome IS NULL",
    "in_app_delivered_once": """
        DELETE FROM notifications_inboxevent; DELETE FROM notifications_inboxmessage;
        DELETE FROM notifications_inbox""",
    "message_of_a_delivery": """
        UPDATE delivery_delivery SET state = 'failed' WHERE channel = 'in_app'""",
    "inbox_without_gaps": 'UPDATE notifications_inbox SET "offset" = "offset" + 1',
    "inbox_counts": "UPDATE notifications_inbox SET unread = unread + 1",
}


async def traffic(world: World) -> None:
    """One recipient with a message in the inbox, a mail that is being sent, and an event in a digest."""
    await world.add_recipients("u1", "u3")
    await world.accept([{"id": "u1", "email": "u1@example.com"}], ["in_app", "email"])
    flow = Flow(world)
    await flow.publish("collects", [digest(), listed()])
    await flow.accept("collects", "u3")
    await route(world.connection, DeliveryConf(), unheard)
    await in_app.deliver(world.connection, limit=10)
    await claim(world.connection, channel="email", limit=10, lease_seconds=60, max_claims=5)


async def broken(world: World, since: UUID = SINCE_EVER) -> list[str]:
    rows = await (await world.connection.execute(BROKEN, {"since": since})).fetchall()
    return [each.law.code for each in read_broken(rows)]


async def test_ordinary_traffic_breaks_no_law(world: World) -> None:
    await traffic(world)
    assert await broken(world) == []


@pytest.mark.parametrize("code", [law.code for law in LAWS])
async def test_a_law_finds_what_breaks_it(world: World, code: str) -> None:
    await traffic(world)
    async with world.connection.transaction(force_rollback=True):
        for deed in DEEDS[code].split(";"):
            await world.connection.execute(deed)
        assert code in await broken(world)
        later = first_id_at(datetime.now(UTC) + timedelta(hours=1))
        assert await broken(world, later) == []


async def in_thread(work: Callable[[], Any]) -> Any:
    """With a database connection that is given back."""
    from django.db import connections

    def call() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


async def test_the_inspection_writes_down_what_it_found_and_says_it(world: World) -> None:
    await traffic(world)
    assert await in_thread(inspect_recent) == []
    assert await in_thread(lambda: LawCheck.objects.filter(broken=0).count()) == len(LAWS)
    await world.connection.execute("UPDATE notifications_inbox SET unread = 7")
    with capture_logs() as logs:
        (found,) = await in_thread(inspect_recent)
    assert (found.law.code, found.count, len(found.examples)) == ("inbox_counts", 1, 1)
    assert [(entry["event"], entry["law"], entry["count"]) for entry in logs] == [("law_broken", "inbox_counts", 1)]
    row = await in_thread(lambda: LawCheck.objects.get(broken__gt=0))
    assert (row.law, row.examples) == ("inbox_counts", found.examples)
    await world.connection.execute("UPDATE notifications_inbox SET unread = 1")
    assert await in_thread(lambda: find_broken(SINCE_EVER, limit="20s")) == []


async def test_the_sums(world: World) -> None:
    await traffic(world)
    await world.accept(["u2"])
    assert await in_thread(lambda: read_sums(SINCE_EVER, limit="20s")) == (3, 1, 2, 1)
