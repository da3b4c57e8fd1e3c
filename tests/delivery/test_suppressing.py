"""The suppression list on the way out: at routing, in the dry run, at sending, and what SMTP itself adds to it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from delivery.dry_run import plan_submission
from delivery.finish import Finish
from delivery.finishes import Finisher
from delivery.retries import Verdict, judge
from delivery.routing import suppression_reason
from delivery.states import State
from delivery.suppressing import withheld
from delivery.transports.email.outcomes import Step, failure_of_reply
from notifications.addresses import hash_email
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.executor import in_thread
from notifications.intake.submission import parse_submission
from notifications.models import Project
from notifications.services.suppressions import suppress_email
from tests.delivery.test_claims import queued, take
from tests.delivery.test_engine import running, with_email
from tests.delivery.test_route import route_all
from tests.delivery.transports.servers import mail_server
from tests.delivery.world import World, until
from tests.fixtures.receivers import SmtpReceiver

Pool = AsyncConnectionPool[AsyncConnection[Any]]


async def suppress(world: World, address: str, reason: str = "bounce", **more: Any) -> None:
    values = {"project_id": world.project_id, "address": address, "reason": reason, **more}
    await in_thread(suppress_email, **values)


async def ends(world: World, notification: UUID) -> dict[str, tuple[str, str]]:
    return {row["recipient"]: (row["state"], row["reason"]) for row in await world.deliveries(notification)}


@pytest.mark.parametrize(
    ("reasons", "critical", "expected"),
    [
        (set(), False, ""),
        ({"bounce"}, False, "suppressed_bounce"),
        ({"bounce", "complaint", "unsubscribe"}, False, "suppressed_bounce"),
        ({"manual", "complaint"}, True, "suppressed_complaint"),
        ({"manual"}, True, "suppressed_manual"),
        ({"unsubscribe"}, False, "suppressed_unsubscribe"),
        ({"unsubscribe"}, True, ""),
        ({"unsubscribe", "bounce"}, True, "suppressed_bounce"),
    ],
)
def test_which_reason_stands(reasons: set[str], critical: bool, expected: str) -> None:
    assert suppression_reason(reasons, critical=critical) == expected


async def test_routing_suppresses_in_bulk_and_only_there(world: World) -> None:
    await suppress(world, "A@example.COM", "bounce")
    await suppress(world, "a@example.com", "unsubscribe")
    await suppress(world, "b@example.com", "complaint")
    await suppress(world, "c@example.com", "manual", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    other = await in_thread(Project.objects.create, name="other")
    await in_thread(suppress_email, project_id=other.id, address="d@example.com", reason="bounce")
    people = [{"id": name, "email": f"{name}@example.com"} for name in "abcd"]
    notification = await world.accept(people, ["email", "in_app"])
    await route_all(world.connection)
    rows = await world.deliveries(notification)
    assert {row["recipient"]: (row["state"], row["reason"]) for row in rows if row["channel"] == "email"} == {
        "a": ("suppressed", "suppressed_bounce"),
        "b": ("suppressed", "suppressed_complaint"),
        "c": ("queued", ""),
        "d": ("queued", ""),
    }
    assert {row["state"] for row in rows if row["channel"] == "in_app"} == {"queued"}


async def test_members_of_a_topic_are_looked_up_too(world: World) -> None:
    members = await world.add_recipients("a", "b")
    await world.connection.execute("UPDATE notifications_recipient SET email = external_id || '@example.com'")
    await world.add_topic("team", members)
    await suppress(world, "b@example.com")
    notification = await world.accept([{"topic": "team"}], ["email"])
    await route_all(world.connection)
    assert await ends(world, notification) == {"a": ("queued", ""), "b": ("suppressed", "suppressed_bounce")}


async def test_critical_passes_over_an_unsubscription_and_nothing_else(world: World) -> None:
    await suppress(world, "a@example.com", "unsubscribe")
    await suppress(world, "b@example.com", "bounce")
    await suppress(world, "c@example.com", "complaint")
    people = [{"id": name, "email": f"{name}@example.com"} for name in "abc"]
    notification = await world.accept(people, ["email"], critical=True)
    await route_all(world.connection)
    assert await ends(world, notification) == {
        "a": ("queued", ""),
        "b": ("suppressed", "suppressed_bounce"),
        "c": ("suppressed", "suppressed_complaint"),
    }
    _, claims = await take(world.connection)
    assert await withheld(world.connection, claims) == {}


async def test_an_address_suppressed_after_routing_gets_no_mail(world: World, smtp_receiver: SmtpReceiver) -> None:
    people = [{"id": name, "email": f"{name}@example.com"} for name in "ab"]
    notification = await world.accept(people, ["email"])
    await route_all(world.connection)
    await suppress(world, "a@example.com", "complaint")
    async with running(with_email(smtp_receiver.port)):
        await world.wait_for_states(notification, "sent", "suppressed")
    assert await ends(world, notification) == {"a": ("suppressed", "suppressed_complaint"), "b": ("sent", "accepted")}
    mails = await asyncio.to_thread(smtp_receiver.mails.wait_for, 1)
    assert [mail.recipients for mail in mails] == [["b@example.com"]]


@pytest.mark.parametrize(
    ("answer", "reason", "listed"),
    [
        ("550 5.1.1 nobody of that name", "invalid_recipient", True),
        ("550 5.1.10 null MX", "invalid_recipient", True),
        ("552 5.2.2 full", "mailbox_full", False),
        ("550 5.7.1 policy", "refused_by_policy", False),
        ("550 no", "recipient_refused", False),
    ],
)
async def test_what_smtp_says_at_rcpt(world: World, answer: str, reason: str, listed: bool) -> None:
    async with mail_server() as server:
        server.mailbox.rcpt_answer = answer
        async with running(with_email(server.port)):
            notification = await world.accept([{"id": "a", "email": "Ada@Example.com"}], ["email"])
            await world.wait_for_states(notification, "failed")
    delivery = await world.delivery(notification)
    assert delivery["reason"] == reason
    rows = await world.rows("SELECT * FROM notifications_suppression")
    if not listed:
        assert rows == []
        return
    (row,) = rows
    assert (row["address"], row["reason"], row["source_delivery_id"]) == ("ada@example.com", "bounce", delivery["id"])
    assert row["project_id"] == world.project_id
    assert answer[4:] in row["detail"]
    again = await world.accept(["a"], ["email"])
    await route_all(world.connection)
    assert (await world.delivery(again))["reason"] == "suppressed_bounce"


def refused(item: Any, address: str | None = None) -> Finish:
    failure = failure_of_reply(Step.RECIPIENT, 550, "5.1.1 nobody", server="mx")
    verdict: Verdict = judge(failure, retry_step=0, schedule=(), jitter=0, provider_pause=0, age=timedelta())
    assert verdict.state is State.FAILED
    return Finish(
        delivery_id=item.delivery_id,
        token=item.token,
        endpoint_id=None,
        channel="email",
        verdict=verdict,
        duration_ms=1,
        response=dict(failure.response),
        address=address or item.email,
    )


async def test_many_refusals_at_once_of_the_same_addresses(world: World, pool: Pool) -> None:
    await queued(world, count=40)
    await queued(world, count=40)
    _, claims = await take(world.connection, 80)
    finisher = Finisher(pool)
    await asyncio.gather(*(finisher.write(refused(item)) for item in claims))
    rows = await world.rows("SELECT address FROM notifications_suppression")
    assert sorted(row["address"] for row in rows) == sorted(f"u{n}@example.com" for n in range(40))
    assert {row["state"] for row in await world.deliveries()} == {"failed"}


async def test_a_suppression_that_had_expired_stands_again(world: World, pool: Pool) -> None:
    await queued(world)
    await suppress(world, "u0@example.com", expires_at=datetime.now(UTC) - timedelta(days=1))
    _, (item,) = await take(world.connection)
    await Finisher(pool).write(refused(item))
    (row,) = await world.rows("SELECT * FROM notifications_suppression")
    assert row["expires_at"] is None


async def test_a_person_erased_before_the_outcome_is_written_leaves_no_address(world: World, pool: Pool) -> None:
    await queued(world)
    _, (item,) = await take(world.connection)
    for table in ("delivery_attempt", "delivery_delivery", "notifications_recipient"):
        await world.connection.execute(f"DELETE FROM {table}")
    await Finisher(pool).write(refused(item))
    assert await world.rows("SELECT FROM notifications_suppression") == []


async def test_an_outcome_and_its_suppression_are_one_transaction(world: World, pool: Pool) -> None:
    """The list cannot be written: then neither is the outcome, and the lease's end brings the row back."""
    await queued(world)
    _, (item,) = await take(world.connection)
    await world.connection.execute("BEGIN")
    await world.connection.execute("LOCK TABLE notifications_suppression IN EXCLUSIVE MODE")
    writing = asyncio.create_task(Finisher(pool).write(refused(item)))

    async def waits() -> bool:
        rows = await world.rows("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(rows[0]["n"])

    await until(waits, what="the list to be written")
    assert (await world.deliveries())[0]["state"] == "sending"
    await world.connection.execute("COMMIT")
    await writing
    assert (await world.deliveries())[0]["state"] == "failed"
    assert (
        len(
            await world.rows(
                "SELECT FROM notifications_suppression WHERE address_hash = %s", hash_email("u0@example.com")
            )
        )
        == 1
    )


async def test_a_dry_run_shows_what_routing_will_do(world: World) -> None:
    await suppress(world, "a@example.com", "unsubscribe")
    body = {"recipients": [{"id": "a", "email": "A@example.com"}], "content": {"title": "x"}, "channels": ["email"]}
    known = replace(conf(), channels=frozenset({"email"}))
    for critical, reason in ((False, "suppressed_unsubscribe"), (True, None)):
        submission = parse_submission(
            {**body, "critical": critical}, project_id=world.project_id, conf=known, now=utc_now()
        )
        (entry,) = await in_thread(plan_submission, submission)
        (way,) = entry["recipients"][0]["ways"]
        assert (way["reason"], way["delivers"]) == (reason, critical)
