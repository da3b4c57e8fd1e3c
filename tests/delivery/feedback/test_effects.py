"""What follows from reports: once, in one transaction, for the right delivery and for nobody else's address."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from delivery.erasing import erase_recipient
from delivery.feedback.effects import Applied, apply_feedback
from delivery.feedback.intake import take_mail
from delivery.feedback.kinds import Feedback, Kind
from notifications import ids
from notifications.addresses import hash_email
from notifications.executor import in_thread
from tests.delivery.feedback.conftest import Send
from tests.delivery.feedback.samples import sample
from tests.delivery.status_events.listening import listen, recorded
from tests.delivery.test_route import route_all
from tests.delivery.world import World, until


def said(kind: Kind, delivery_id: UUID, **more: Any) -> Feedback:
    return Feedback(**{"kind": kind, "delivery_id": delivery_id, "source": "dsn", "event_id": "dsn:1", **more})


async def state_of(world: World, delivery_id: UUID) -> tuple[str, str]:
    (row,) = await world.rows("SELECT state, reason FROM delivery_delivery WHERE id = %s", delivery_id)
    return row["state"], row["reason"]


async def suppressed(world: World) -> list[tuple[str | None, str]]:
    return [(row["address"], row["reason"]) for row in await world.rows("SELECT * FROM notifications_suppression")]


async def test_a_hard_bounce_fails_its_delivery_and_suppresses_the_address(world: World, send: Send) -> None:
    delivery = await send()
    await in_thread(take_mail, sample("postfix_failed", delivery))
    assert await state_of(world, delivery) == ("failed", "bounced")
    (row,) = await world.rows("SELECT * FROM notifications_suppression")
    assert (row["address"], row["reason"], row["channel"]) == ("ada@example.com", "bounce", "email")
    assert (row["project_id"], row["source_delivery_id"]) == (world.project_id, delivery)
    assert bytes(row["address_hash"]) == hash_email("ADA@example.COM")
    assert row["detail"].startswith("5.1.1 550 5.1.1")
    (event,) = await world.rows("SELECT * FROM delivery_deliveryevent")
    assert (event["type"], event["source"], event["status"]) == ("bounce", "dsn", "5.1.1")


async def test_a_report_that_is_read_again_changes_nothing(world: World, send: Send) -> None:
    delivery = await send()
    told = said(Kind.BOUNCE, delivery, status="5.1.1", address="ada@example.com")
    assert await in_thread(apply_feedback, [told, told]) == Applied(recorded=1, repeated=1)
    await world.connection.execute("DELETE FROM notifications_suppression")  # an operator knows better
    assert await in_thread(apply_feedback, [told]) == Applied(repeated=1)
    assert await suppressed(world) == []


async def test_told_at_once_by_many_it_is_one_event(world: World, send: Send) -> None:
    delivery = await send()
    told = said(Kind.BOUNCE, delivery, status="5.1.1", address="ada@example.com")
    results = await asyncio.gather(*(in_thread(apply_feedback, [told]) for _ in range(6)))
    assert sum(result.recorded for result in results) == 1
    assert len(await suppressed(world)) == 1


@pytest.mark.parametrize("status", ["5.2.2", "5.7.1", "4.4.7", ""])
async def test_other_bounces_fail_the_delivery_and_spare_the_address(world: World, send: Send, status: str) -> None:
    delivery = await send()
    await in_thread(apply_feedback, [said(Kind.BOUNCE, delivery, status=status, address="ada@example.com")])
    assert await state_of(world, delivery) == ("failed", "bounced")
    assert await suppressed(world) == []


@pytest.mark.parametrize("kind", [Kind.DEFERRED, Kind.RELAYED])
async def test_what_settles_nothing_is_an_event_alone(world: World, send: Send, kind: Kind) -> None:
    delivery = await send()
    assert (await in_thread(apply_feedback, [said(kind, delivery)])).recorded == 1
    assert await state_of(world, delivery) == ("sent", "accepted")
    assert await suppressed(world) == []


async def test_the_first_word_that_settles_counts(world: World, send: Send) -> None:
    delivery = await send()
    await in_thread(take_mail, sample("postfix_delivered", delivery))
    assert await state_of(world, delivery) == ("delivered", "confirmed")
    await in_thread(take_mail, sample("postfix_failed", delivery))
    assert await state_of(world, delivery) == ("delivered", "confirmed")
    events = await world.rows("SELECT type FROM delivery_deliveryevent ORDER BY id")
    assert [event["type"] for event in events] == ["delivered", "bounce"]


@pytest.mark.parametrize("state", ["failed", "suppressed", "cancelled"])
async def test_other_ends_stay(world: World, send: Send, state: str) -> None:
    delivery = await send(state=state)
    await in_thread(apply_feedback, [said(Kind.DELIVERED, delivery)])
    assert (await state_of(world, delivery))[0] == state


async def test_a_complaint_suppresses_and_leaves_the_delivery(world: World, send: Send) -> None:
    delivery = await send()
    await in_thread(take_mail, sample("complaint", delivery))
    assert await state_of(world, delivery) == ("sent", "accepted")
    assert await suppressed(world) == [("ada@example.com", "complaint")]


async def test_a_report_of_a_forward_is_about_whom_we_wrote_to(world: World, send: Send) -> None:
    delivery = await send()
    told = said(Kind.BOUNCE, delivery, status="5.1.1", address="ada@elsewhere.example")
    await in_thread(apply_feedback, [told])
    assert await suppressed(world) == [("ada@example.com", "bounce")]


async def test_an_address_that_was_replaced_meanwhile_is_spared(world: World, send: Send) -> None:
    delivery = await send()
    await world.connection.execute(
        "UPDATE notifications_recipient SET email = 'new@example.com', updated_at = now() + interval '1 s'"
    )
    told = said(Kind.BOUNCE, delivery, status="5.1.1", address="ada@example.com")
    await in_thread(apply_feedback, [told])
    assert await state_of(world, delivery) == ("failed", "bounced")
    assert await suppressed(world) == []
    await in_thread(apply_feedback, [replace(told, event_id="dsn:2", address="NEW@example.com")])
    assert await suppressed(world) == [("new@example.com", "bounce")]


async def test_what_is_not_there_or_somebody_elses_is_ignored(world: World, send: Send) -> None:
    delivery = await send()
    unknown = said(Kind.BOUNCE, ids.new_uuid(), status="5.1.1")
    assert await in_thread(apply_feedback, [unknown]) == Applied(ignored=1)
    told = said(Kind.BOUNCE, delivery, status="5.1.1")
    assert await in_thread(apply_feedback, [told], project_id=ids.new_uuid()) == Applied(ignored=1)
    assert await state_of(world, delivery) == ("sent", "accepted")
    assert await suppressed(world) == []


async def test_a_late_bounce_is_told_as_the_new_end(world: World, send: Send) -> None:
    await listen(world, types=("delivery.failed", "delivery.delivered"))
    delivery = await send()
    for _ in range(2):
        await in_thread(apply_feedback, [said(Kind.BOUNCE, delivery, status="5.1.1")])
    (event,) = await recorded(world)
    assert (event["type"], event["data"]["reason"]) == ("delivery.failed", "bounced")


async def test_webhooks_do_not_bounce(world: World, send: Send) -> None:
    delivery = await send()
    await world.connection.execute("UPDATE delivery_delivery SET channel = 'webhook'")
    assert await in_thread(apply_feedback, [said(Kind.BOUNCE, delivery, status="5.1.1")]) == Applied(ignored=1)
    await world.connection.execute("UPDATE delivery_delivery SET channel = 'email'")  # as the laws want it


async def test_an_event_is_never_in_the_future(world: World, send: Send) -> None:
    delivery = await send()
    later = datetime.now(UTC) + timedelta(days=900)
    await in_thread(apply_feedback, [said(Kind.DEFERRED, delivery, occurred_at=later)])
    (event,) = await world.rows("SELECT occurred_at <= now() AS past FROM delivery_deliveryevent")
    assert event["past"]


async def test_erasing_a_person_keeps_the_hash_alone(world: World, send: Send) -> None:
    delivery = await send()
    await in_thread(take_mail, sample("postfix_failed", delivery))
    await in_thread(erase_recipient, project_id=world.project_id, external_id="ada")
    (row,) = await world.rows("SELECT * FROM notifications_suppression")
    assert (row["address"], row["detail"], row["source_delivery_id"]) == (None, "", None)
    assert bytes(row["address_hash"]) == hash_email("ada@example.com")
    assert await world.rows("SELECT FROM delivery_deliveryevent") == []
    # Back again under the same address: still not written to, and reports about the old delivery mean nothing.
    again = await world.accept([{"id": "ada2", "email": "Ada@Example.com"}], ["email"])
    await route_all(world.connection)
    row = await world.delivery(again)
    assert (row["state"], row["reason"]) == ("suppressed", "suppressed_bounce")
    assert await in_thread(apply_feedback, [said(Kind.BOUNCE, delivery)]) == Applied(ignored=1)


async def test_an_address_that_came_back_before_it_was_changed_is_forgotten_too(world: World, send: Send) -> None:
    delivery = await send()
    await in_thread(take_mail, sample("postfix_failed", delivery))
    await world.connection.execute("UPDATE notifications_recipient SET email = 'new@example.com'")
    await in_thread(erase_recipient, project_id=world.project_id, external_id="ada")
    assert await suppressed(world) == [(None, "bounce")]


async def test_erasing_waits_for_a_report_that_is_being_recorded(world: World, send: Send) -> None:
    delivery = await send()
    await world.connection.execute("BEGIN")
    await world.connection.execute("SELECT FROM delivery_delivery FOR UPDATE")
    waiting = asyncio.create_task(in_thread(apply_feedback, [said(Kind.BOUNCE, delivery, status="5.1.1")]))

    async def waits() -> bool:
        rows = await world.rows("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(rows[0]["n"])

    await until(waits, what="the report to wait")
    await world.connection.execute("DELETE FROM delivery_attempt")
    await world.connection.execute("DELETE FROM delivery_delivery")
    await world.connection.execute("DELETE FROM notifications_recipient")
    await world.connection.execute("COMMIT")
    assert await waiting == Applied(ignored=1)
    assert await suppressed(world) == []
