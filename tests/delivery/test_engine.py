"""The engine as one worker process runs it, against real PostgreSQL, Valkey, SMTP and HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from channels.layers import get_channel_layer
from standardwebhooks.webhooks import Webhook

from delivery.conf import DeliveryConf, TransportSettings
from delivery.engine import Engine
from delivery.services import cancel_notification, retry_delivery
from delivery.transports.email.conf import EmailConf
from delivery.transports.webhook.conf import WebhookConf
from notifications import ids
from notifications.errors import Conflict
from notifications.events import inbox_group
from notifications.executor import in_thread
from notifications.intake.writer import Connection
from tests.delivery.transports.servers import free_port
from tests.delivery.world import SECRET, World, until
from tests.fixtures.receivers import Answer, Call, HttpReceiver, SmtpReceiver

WEBHOOK = TransportSettings(
    path="delivery.transports.webhook.transport.WebhookTransport", conf=WebhookConf(allow_networks=("127.0.0.0/8",))
)
CONF = DeliveryConf(
    transports={"webhook": WEBHOOK}, retry_seconds={"webhook": (0.1, 0.1)}, retry_jitter=0.0, sweep_seconds=0.05
)


def with_email(port: int) -> DeliveryConf:
    email = TransportSettings(
        path="delivery.transports.email.transport.EmailTransport",
        conf=EmailConf(
            smtp_urls=f"smtp://127.0.0.1:{port}",
            from_address="c@example.org",
            from_name="Carillon",
            server_pause_seconds=0.1,
        ),
    )
    return replace(CONF, transports={"webhook": WEBHOOK, "email": email}, provider_pause_seconds=0.1)


@contextlib.asynccontextmanager
async def running(conf: DeliveryConf = CONF) -> AsyncIterator[Engine]:
    engine = Engine(conf)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def arrived(receiver: HttpReceiver, path: str, count: int) -> list[Call]:
    """The calls, waited for without holding up the engine, which lives on this loop."""
    return await asyncio.to_thread(receiver.calls_to, path, count)


@pytest.fixture
async def hooked(world: World, http_receiver: HttpReceiver) -> World:
    """A world whose recipient `u1` has one endpoint at the receiver's /hook."""
    (recipient,) = await world.add_recipients("u1")
    await world.add_endpoint(recipient, http_receiver.url + "/hook")
    return world


async def test_one_notification_takes_all_its_ways(
    hooked: World, http_receiver: HttpReceiver, smtp_receiver: SmtpReceiver
) -> None:
    async with running(with_email(smtp_receiver.port)):
        notification = await hooked.accept([{"id": "u1", "email": "u1@example.com"}], ["in_app", "email", "webhook"])
        rows = await hooked.wait_for_states(notification, "sent", "delivered", "failed")
    assert {row["channel"]: (row["state"], row["attempt_count"]) for row in rows} == {
        "in_app": ("delivered", 1),
        "email": ("sent", 1),
        "webhook": ("sent", 1),
    }
    (call,) = http_receiver.calls.all()
    assert Webhook(SECRET).verify(call.body, dict(call.headers))["data"]["title"] == "Hi"
    assert call.headers["webhook-id"] == ids.encode("dlv", next(r["id"] for r in rows if r["channel"] == "webhook"))
    assert [mail.recipients for mail in smtp_receiver.mails.all()] == [["u1@example.com"]]


async def test_who_listens_is_told_of_a_message_after_its_commit(world: World) -> None:
    (recipient,) = await world.add_recipients("u1")
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(inbox_group(recipient), channel)
    try:
        async with running():
            await world.accept(["u1"])
            async with asyncio.timeout(20):
                event = await layer.receive(channel)
            (stored,) = await world.rows("SELECT id FROM notifications_inboxmessage")
    finally:
        await layer.group_discard(inbox_group(recipient), channel)
    assert (event["event"], event["offset"]) == ("message.created", 1)
    assert event["message"]["id"] == ids.encode("msg", stored["id"])


async def test_the_attempt_is_written_before_the_network_is_touched(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(delay_seconds=1.0))
    async with running():
        notification = await hooked.accept(["u1"], ["webhook"])
        await arrived(http_receiver, "/hook", 1)
        row = await hooked.delivery(notification)
        assert (row["state"], row["attempt_count"]) == ("sending", 1)
        (attempt,) = await hooked.attempts(row["id"])
        assert (attempt["id"], attempt["outcome"]) == (row["lease_token"], None)
        await hooked.wait_for_states(notification, "sent")


async def test_a_claim_whose_answer_comes_late_is_given_back_not_sent(
    hooked: World, other: Connection, http_receiver: HttpReceiver
) -> None:
    conf = replace(CONF, lease_seconds=3.0, attempt_timeout_seconds=1.0)
    async with running(conf):
        async with other.transaction():
            await other.execute("LOCK TABLE delivery_attempt IN SHARE MODE")
            notification = await hooked.accept(["u1"], ["webhook"])

            async def waits() -> bool:
                return bool(
                    await hooked.rows(
                        "SELECT 1 FROM pg_locks WHERE relation = 'delivery_attempt'::regclass AND NOT granted"
                    )
                )

            await until(waits, what="the claim to wait for its attempt's row")
            await asyncio.sleep(conf.begin_within_seconds * 1.5)
        (row,) = await hooked.wait_for_states(notification, "sent")
    outcomes = [attempt["outcome"] for attempt in await hooked.attempts(row["id"])]
    assert (outcomes[0], outcomes[-1]) == ("not_begun", "accepted")
    assert len(http_receiver.calls.all()) == 1


async def test_a_failing_receiver_is_tried_again_with_the_same_id(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(500), Answer(503), Answer(200))
    async with running():
        notification = await hooked.accept(["u1"], ["webhook"])
        (row,) = await hooked.wait_for_states(notification, "sent", "failed")
    assert (row["state"], row["attempt_count"]) == ("sent", 3)
    assert [attempt["outcome"] for attempt in await hooked.attempts(row["id"])] == ["http_500", "http_503", "accepted"]
    calls = http_receiver.calls.all()
    assert {call.headers["webhook-id"] for call in calls} == {ids.encode("dlv", row["id"])}
    for call in calls:
        Webhook(SECRET).verify(call.body, dict(call.headers))


async def test_used_up_retries_end_as_failed_and_a_person_may_retry(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(500), Answer(500), Answer(500), Answer(200))
    async with running():
        notification = await hooked.accept(["u1"], ["webhook"])
        (row,) = await hooked.wait_for_states(notification, "sent", "failed")
        assert (row["state"], row["reason"], row["attempt_count"]) == ("failed", "http_500", 3)
        await in_thread(retry_delivery, delivery_id=row["id"])
        (row,) = await hooked.wait_for_states(notification, "sent")
    assert row["attempt_count"] == 4
    with pytest.raises(Conflict):
        await in_thread(retry_delivery, delivery_id=row["id"])


async def test_gone_disables_the_endpoint_and_the_next_finds_none(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(410))
    async with running():
        first = await hooked.accept(["u1"], ["webhook"])
        (row,) = await hooked.wait_for_states(first, "failed", "sent")
        second = await hooked.accept(["u1"], ["webhook"])
        (next_row,) = await hooked.wait_for_states(second, "failed", "sent")
    assert (row["reason"], next_row["reason"]) == ("gone", "no_endpoint")
    (endpoint,) = await hooked.rows("SELECT state, disabled_reason FROM notifications_endpoint")
    assert endpoint == {"state": "disabled", "disabled_reason": "gone"}
    assert len(http_receiver.calls.all()) == 1


async def test_an_outage_of_our_relay_burns_no_retry_step(hooked: World) -> None:
    async with running(with_email(free_port())):
        notification = await hooked.accept([{"id": "u1", "email": "u1@example.com"}], ["email"])

        async def tried_thrice() -> dict[str, Any] | None:
            rows = await hooked.deliveries(notification)
            return rows[0] if rows and rows[0]["attempt_count"] >= 3 else None

        # With its schedule of no retries at all, one ordinary failure would have ended it.
        row = await until(tried_thrice, what="three attempts")
    assert row["retry_step"] == 0
    assert row["state"] in ("retrying", "sending")


async def test_being_sent_wins_over_cancelling_and_waiting_does_not(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(delay_seconds=1.0))
    http_receiver.answer("/later", Answer(503, headers={"retry-after": "600"}))
    (later,) = await hooked.add_recipients("u2")
    await hooked.add_endpoint(later, http_receiver.url + "/later")
    async with running():
        notification = await hooked.accept(["u1", "u2"], ["webhook"])
        await arrived(http_receiver, "/hook", 1)

        async def one_waits() -> bool:
            return {row["state"] for row in await hooked.deliveries(notification)} == {"sending", "retrying"}

        await until(one_waits, what="one to be sent and one to wait")
        assert await in_thread(cancel_notification, notification_id=notification) == 1
        rows = await hooked.wait_for_states(notification, "sent", "cancelled")
    assert {row["recipient"]: row["state"] for row in rows} == {"u1": "sent", "u2": "cancelled"}


async def test_an_address_that_went_away_after_routing_is_not_written_to(
    hooked: World, http_receiver: HttpReceiver
) -> None:
    (u2,) = await hooked.add_recipients("u2")
    await hooked.add_endpoint(u2, http_receiver.url + "/u2")
    (u3,) = await hooked.add_recipients("u3")
    await hooked.add_endpoint(u3, http_receiver.url + "/u3")
    notification = await hooked.accept(["u1", "u2", "u3"], ["webhook"])
    async with running(replace(CONF, transports={})):  # routes, and sends nothing
        await hooked.wait_for_states(notification, "queued")
    await hooked.connection.execute("UPDATE notifications_endpoint SET state = 'disabled' WHERE url LIKE %s", ("%/u2",))
    await hooked.connection.execute("DELETE FROM notifications_endpoint WHERE url LIKE %s", ("%/u3",))
    async with running():
        rows = await hooked.wait_for_states(notification, "sent", "failed")
    assert {row["recipient"]: row["reason"] for row in rows} == {
        "u1": "accepted",
        "u2": "endpoint_disabled",
        "u3": "endpoint_deleted",
    }
    assert {call.path for call in http_receiver.calls.all()} == {"/hook"}


async def test_stopping_finishes_what_is_under_way(hooked: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(delay_seconds=0.5))
    notifications = []
    async with running():
        notifications = [await hooked.accept(["u1"], ["webhook"]) for _ in range(20)]
        await arrived(http_receiver, "/hook", 1)
    rows = await hooked.deliveries()
    assert {row["state"] for row in rows} <= {"sent", "queued"}  # nobody has to wait for a lease
    async with running():
        for notification in notifications:
            await hooked.wait_for_states(notification, "sent")
    assert len({call.headers["webhook-id"] for call in http_receiver.calls.all()}) == 20
    assert len(http_receiver.calls.all()) == 20


async def test_all_connections_cut_under_load_lose_and_double_nothing(
    hooked: World, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer("/hook", Answer(delay_seconds=0.02))
    ours = [row["pid"] for row in await hooked.rows("SELECT pid FROM pg_stat_activity")]
    async with running(replace(CONF, lease_seconds=2.0, attempt_timeout_seconds=1.0, send_batch=20, in_app_batch=20)):
        await hooked.accept_many([["u1"]] * 400, ["in_app", "webhook"])
        for cut in range(1, 5):
            await arrived(http_receiver, "/hook", 60 * cut)
            await hooked.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL(%s)",
                (ours,),
            )

        async def done() -> bool:
            (open_rows,) = await hooked.rows(
                "SELECT (SELECT count(*) FROM notifications_notification WHERE status = 'accepted')"
                " + (SELECT count(*) FROM delivery_delivery WHERE available_at IS NOT NULL) AS n"
            )
            return bool(open_rows["n"] == 0)

        await until(done, what="everything to be finished")
    rows = await hooked.deliveries()
    assert len(rows) == 800
    assert {row["state"] for row in rows} == {"sent", "delivered"}
    sent = {ids.encode("dlv", row["id"]) for row in rows if row["channel"] == "webhook"}
    assert {call.headers["webhook-id"] for call in http_receiver.calls.all()} == sent
