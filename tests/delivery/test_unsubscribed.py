"""What a recipient unsubscribed from is not sent: found at routing, and once more at sending."""

from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from delivery.conf import DeliveryConf
from delivery.dry_run import plan_submission
from delivery.route import route
from notifications import ids
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.executor import in_thread
from notifications.intake.submission import parse_submission
from tests.delivery.test_engine import running, with_email
from tests.delivery.world import World, unheard
from tests.fixtures.receivers import SmtpReceiver

WAYS = ["in_app", "email"]


@pytest.fixture
async def ada(world: World) -> UUID:
    """A recipient with an address."""
    (recipient,) = await world.add_recipients("ada")
    await world.connection.execute("UPDATE notifications_recipient SET email = 'ada@example.com'")
    return recipient


async def unsubscribe(world: World, recipient: UUID, category: str = "news") -> None:
    await world.connection.execute(
        "INSERT INTO notifications_recipientpreferences (project_id, recipient_id, settings) VALUES (%s, %s, %s)",
        (world.project_id, recipient, Jsonb({"categories": {category: {"email": False}}})),
    )


async def states(world: World, notification: UUID) -> dict[str, tuple[str, str]]:
    return {row["channel"]: (row["state"], row["reason"]) for row in await world.deliveries(notification)}


@pytest.mark.parametrize(
    ("submission", "email"),
    [
        ({"category": "news"}, ("suppressed", "unsubscribed")),
        ({"category": "news", "critical": True}, ("queued", "")),
        ({"category": "orders"}, ("queued", "")),
        ({}, ("queued", "")),
    ],
    ids=str,
)
async def test_routing(world: World, ada: UUID, submission: dict[str, Any], email: tuple[str, str]) -> None:
    await unsubscribe(world, ada)
    notification = await world.accept(["ada"], WAYS, **submission)
    await route(world.connection, DeliveryConf(), unheard)
    assert await states(world, notification) == {"in_app": ("queued", ""), "email": email}


async def test_a_topics_members_are_asked_one_by_one(world: World, ada: UUID) -> None:
    (bob,) = await world.add_recipients("bob")
    await world.connection.execute("UPDATE notifications_recipient SET email = external_id || '@example.com'")
    await world.add_topic("everybody", [ada, bob])
    await unsubscribe(world, ada)
    notification = await world.accept([{"topic": "everybody"}], ["email"], category="news")
    await route(world.connection, DeliveryConf(), unheard)
    found = {row["recipient"]: (row["state"], row["reason"]) for row in await world.deliveries(notification)}
    assert found == {"ada": ("suppressed", "unsubscribed"), "bob": ("queued", "")}


async def test_one_project_is_not_asked_for_another(world: World, ada: UUID) -> None:
    """The recipients of two projects share nothing but a name."""
    other = ids.new_uuid()
    await world.connection.execute("INSERT INTO notifications_project (id, name) VALUES (%s, 'other')", (other,))
    theirs = ids.new_uuid()
    await world.connection.execute(
        "INSERT INTO notifications_recipient (id, project_id, external_id, email, data)"
        " VALUES (%s, %s, 'ada', 'ada@example.com', '{}')",
        (theirs, other),
    )
    await unsubscribe(World(world.connection, other), theirs)
    notification = await world.accept(["ada"], ["email"], category="news")
    await route(world.connection, DeliveryConf(), unheard)
    assert await states(world, notification) == {"email": ("queued", "")}


async def test_sending_asks_again(world: World, ada: UUID, smtp_receiver: SmtpReceiver) -> None:
    unwanted = await world.accept(["ada"], ["email"], category="news")
    critical = await world.accept(["ada"], ["email"], category="news", critical=True)
    wanted = await world.accept(["ada"], ["email"], category="orders")
    await route(world.connection, DeliveryConf(), unheard)
    await unsubscribe(world, ada)
    async with running(with_email(smtp_receiver.port)):
        for notification in (unwanted, critical, wanted):
            await world.wait_for_states(notification, "sent", "suppressed")
    assert await states(world, unwanted) == {"email": ("suppressed", "unsubscribed")}
    assert await states(world, critical) == await states(world, wanted) == {"email": ("sent", "accepted")}
    assert len(smtp_receiver.mails.all()) == 2
    (attempt,) = await world.attempts((await world.delivery(unwanted))["id"])
    assert attempt["outcome"] == "unsubscribed"


async def test_the_dry_run_says_so(world: World, ada: UUID) -> None:
    await unsubscribe(world, ada)
    submission = parse_submission(
        {"recipients": ["ada"], "content": {"title": "x"}, "channels": ["in_app"], "category": "news"},
        project_id=world.project_id,
        conf=conf(),
        now=utc_now(),
    )
    submission.body.channels = WAYS
    (entry,) = await in_thread(plan_submission, submission)
    in_app, email = entry["recipients"][0]["ways"]
    assert (in_app["delivers"], email["delivers"], email["reason"]) == (True, False, "unsubscribed")
