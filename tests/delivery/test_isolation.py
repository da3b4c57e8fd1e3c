"""One endpoint in trouble harms nobody else, costs its deliveries nothing but time, and is given up in the end."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from delivery.breaker import BreakerConf
from delivery.conf import DeliveryConf
from delivery.notices import CONTACT_ID
from delivery.pings import ping_endpoint
from notifications import ids
from notifications.conf import conf
from notifications.executor import in_thread
from tests.delivery.status_events.listening import listen, recorded
from tests.delivery.test_engine import CONF as ENGINE_CONF
from tests.delivery.test_engine import arrived, running, with_email
from tests.delivery.world import World, until
from tests.fixtures.receivers import Answer, HttpReceiver, SmtpReceiver

CONF = replace(
    ENGINE_CONF,
    retry_seconds={"webhook": (0.05,) * 5},
    breaker=BreakerConf(wait_seconds=1.0, longest_wait_seconds=2.0),
)
FAR = replace(CONF, breaker=BreakerConf(wait_seconds=900.0))


async def endpoint(world: World, receiver: HttpReceiver, name: str) -> UUID:
    """A recipient of that name with one endpoint at the receiver's path of that name."""
    (recipient,) = await world.add_recipients(name)
    return await world.add_endpoint(recipient, f"{receiver.url}/{name}")


async def open_circuit(world: World, name: str, answers: HttpReceiver) -> list[dict[str, Any]]:
    """Let ten attempts fail; the row that remembers."""
    answers.answer(f"/{name}", Answer(500))
    await world.accept_many([[name]] * 10, ["webhook"])

    async def opened() -> list[dict[str, Any]]:
        return await world.rows("SELECT * FROM delivery_endpointtrouble WHERE trips > 0")

    return await until(opened, what="the circuit to open")


async def test_a_receiver_that_hangs_has_no_more_than_its_places_and_slows_no_other(
    world: World, http_receiver: HttpReceiver
) -> None:
    await endpoint(world, http_receiver, "dead")
    await endpoint(world, http_receiver, "well")
    http_receiver.answer("/dead", Answer(delay_seconds=120))
    patient = replace(CONF, endpoint_in_flight=3, claim_window=20, lease_seconds=150.0, attempt_timeout_seconds=100.0)
    async with running(patient):
        await world.accept_many([["dead"]] * 500, ["webhook"])
        await arrived(http_receiver, "/dead", 3)
        well = await world.accept_many([["well"]] * 50, ["webhook"])
        for notification in well:
            await world.wait_for_states(notification, "sent")

        async def put_off() -> bool:
            rows = await world.deliveries()
            waiting = [row for row in rows if row["recipient"] == "dead" and row["state"] == "queued"]
            return len(waiting) == 497 and all(row["reason"] == "endpoint_busy" for row in waiting)

        await until(put_off, what="the others to be put off")
        assert len([call for call in http_receiver.calls.all() if call.path == "/dead"]) == 3
        waiting = [row for row in await world.deliveries() if row["state"] == "queued"]
        assert {(row["attempt_count"], row["claims"], row["retry_step"]) for row in waiting} == {(0, 0, 0)}


async def test_an_open_circuit_holds_everything_back_and_costs_nothing_but_time(
    world: World, http_receiver: HttpReceiver
) -> None:
    await endpoint(world, http_receiver, "dead")
    async with running(FAR):
        (trouble,) = await open_circuit(world, "dead", http_receiver)
        assert (trouble["trips"], trouble["failures"] >= 10) == (1, True)
        later = await world.accept_many([["dead"]] * 300, ["webhook"])

        async def held() -> list[dict[str, Any]]:
            rows = [row for row in await world.deliveries() if row["notification_id"] in set(later)]
            return rows if len(rows) == 300 and all(row["reason"] == "circuit_open" for row in rows) else []

        rows = await until(held, what="the later ones to be held")
    assert {(row["state"], row["attempt_count"], row["claims"], row["retry_step"]) for row in rows} == {
        ("queued", 0, 0, 0)
    }
    assert all(row["available_at"] >= trouble["held_until"] for row in rows)
    calls = len(http_receiver.calls.all())
    async with running(FAR):  # another process, after a restart: it knows
        other = await world.accept(["dead"], ["webhook"])
        await until(lambda: is_held(world, other), what="that one to be held too")
    assert len(http_receiver.calls.all()) == calls


async def is_held(world: World, notification: UUID) -> bool:
    rows = await world.deliveries(notification)
    return bool(rows) and rows[0]["reason"] == "circuit_open"


async def test_one_probe_then_everything_when_it_is_well_again(world: World, http_receiver: HttpReceiver) -> None:
    await endpoint(world, http_receiver, "dead")
    async with running(FAR):
        await open_circuit(world, "dead", http_receiver)
        await world.accept_many([["dead"]] * 40, ["webhook"])

        async def all_wait() -> bool:
            rows = await world.deliveries()
            return len(rows) == 50 and {row["state"] for row in rows} <= {"queued", "retrying", "failed"}

        await until(all_wait, what="everything to wait")
        before = len(http_receiver.calls.all())
        http_receiver.answer("/dead", Answer(delay_seconds=0.5), Answer())
        await world.connection.execute("UPDATE delivery_endpointtrouble SET held_until = now()")
        await world.end_leases()
        await arrived(http_receiver, "/dead", before + 1)
        assert len(http_receiver.calls.all()) == before + 1

        async def closed() -> bool:
            return not await world.rows("SELECT * FROM delivery_endpointtrouble")

        await until(closed, what="the circuit to close")
        await world.end_leases()
        await world.wait_for_states(None, "sent", "failed")
    assert sum(row["state"] == "sent" for row in await world.deliveries()) >= 40


async def test_a_probe_that_fails_waits_longer(world: World, http_receiver: HttpReceiver) -> None:
    await endpoint(world, http_receiver, "dead")
    async with running(CONF):
        await open_circuit(world, "dead", http_receiver)
        await world.accept_many([["dead"]] * 10, ["webhook"])

        async def tripped() -> list[dict[str, Any]]:
            return await world.rows("SELECT * FROM delivery_endpointtrouble WHERE trips >= 3")

        await until(tripped, what="two probes to fail")


async def failing_for(world: World, endpoint_id: UUID, *, days: float, failures: int) -> None:
    await world.connection.execute(
        "INSERT INTO delivery_endpointtrouble (endpoint_id, failing_since, failures)"
        " VALUES (%s, now() - make_interval(secs => %s), %s)",
        (endpoint_id, days * 86_400, failures),
    )


async def endpoint_state(world: World, endpoint_id: UUID) -> tuple[str, str]:
    (row,) = await world.rows("SELECT state, disabled_reason FROM notifications_endpoint WHERE id = %s", endpoint_id)
    return row["state"], row["disabled_reason"]


@pytest.mark.parametrize(
    ("days", "failures", "disabled"), [(5.01, 9, True), (4.9, 500, False), (9.0, 8, False)], ids=str
)
async def test_five_days_of_nothing_but_failures_and_at_least_ten_disable(
    world: World, http_receiver: HttpReceiver, days: float, failures: int, disabled: bool
) -> None:
    endpoint_id = await endpoint(world, http_receiver, "dead")
    await failing_for(world, endpoint_id, days=days, failures=failures)
    http_receiver.answer("/dead", Answer(500))
    async with running(replace(CONF, retry_seconds={"webhook": ()})):
        notification = await world.accept(["dead"], ["webhook"])
        await world.wait_for_states(notification, "failed")
    expected = ("disabled", "failing") if disabled else ("enabled", "")
    assert await endpoint_state(world, endpoint_id) == expected
    assert bool(await world.rows("SELECT * FROM delivery_endpointtrouble")) is not disabled


async def test_one_success_forgives_all(world: World, http_receiver: HttpReceiver) -> None:
    endpoint_id = await endpoint(world, http_receiver, "dead")
    await failing_for(world, endpoint_id, days=30, failures=1000)
    async with running(CONF):
        await world.wait_for_states(await world.accept(["dead"], ["webhook"]), "sent")
    assert await endpoint_state(world, endpoint_id) == ("enabled", "")
    assert await world.rows("SELECT * FROM delivery_endpointtrouble") == []


@pytest.mark.parametrize(("status", "reason"), [(410, "gone"), (500, "failing")])
async def test_the_project_is_told_once_by_email_and_event(
    world: World,
    http_receiver: HttpReceiver,
    smtp_receiver: SmtpReceiver,
    settings: Any,
    status: int,
    reason: str,
) -> None:
    settings.CARILLON_NOTIFICATIONS = replace(conf(), channels=frozenset({"in_app", "email", "webhook"}))
    await listen(world, types=("endpoint.disabled",))
    await world.connection.execute("UPDATE notifications_project SET contact_email = 'owner@example.org'")
    endpoint_id = await endpoint(world, http_receiver, "dead")
    await failing_for(world, endpoint_id, days=6, failures=100)
    http_receiver.answer("/dead", Answer(status))
    engine = replace(with_email(smtp_receiver.port), retry_seconds={"webhook": (), "email": ()})
    async with running(engine):
        for notification in await world.accept_many([["dead"]] * 5, ["webhook"]):
            await world.wait_for_states(notification, "failed")
        (mail,) = await asyncio.to_thread(smtp_receiver.mails.wait_for, 1)
        await world.wait_for_states(None, "failed", "sent")
    assert await endpoint_state(world, endpoint_id) == ("disabled", reason)
    assert mail.recipients == ["owner@example.org"]
    assert ids.encode("end", endpoint_id) in mail.raw.decode()
    (event,) = await recorded(world)
    assert (event["project_id"], event["type"]) == (world.project_id, "endpoint.disabled")
    assert event["data"] == {"endpoint_id": str(endpoint_id), "channel": "webhook", "reason": reason}
    assert len([row for row in await world.deliveries() if row["recipient"] == CONTACT_ID]) == 1
    assert len(smtp_receiver.mails.all()) == 1


async def test_without_a_contact_the_endpoint_is_disabled_all_the_same(
    world: World, http_receiver: HttpReceiver
) -> None:
    await listen(world, types=("endpoint.disabled",))
    await endpoint(world, http_receiver, "dead")
    http_receiver.answer("/dead", Answer(410))
    async with running(CONF):
        await world.wait_for_states(await world.accept(["dead"], ["webhook"]), "failed")
    assert len(await recorded(world)) == 1
    assert len(await world.deliveries()) == 1


async def set_limit(world: World, *, project: UUID | None, per_second: float) -> None:
    await world.connection.execute(
        "INSERT INTO delivery_sendlimit (id, project_id, channel, per_second) VALUES (%s, %s, 'webhook', %s)",
        (ids.new_uuid(), project, per_second),
    )


@pytest.mark.parametrize("whose", ["project", "all"])
async def test_a_rate_limit_puts_off_and_drops_nothing(world: World, http_receiver: HttpReceiver, whose: str) -> None:
    await endpoint(world, http_receiver, "u1")
    await set_limit(world, project=world.project_id if whose == "project" else None, per_second=10)
    (began,) = await world.rows("SELECT now() AS at")
    async with running(DeliveryConf(transports=CONF.transports, sweep_seconds=0.05)):
        await world.accept_many([["u1"]] * 35, ["webhook"])

        async def routed() -> bool:
            return len(await world.deliveries()) == 35

        await until(routed, what="all to be routed")
        rows = await world.wait_for_states(None, "sent")
    # A second's worth goes at once, the others at the limit's pace or slower.
    took = (max(row["finished_at"] for row in rows) - began["at"]).total_seconds()
    assert took >= (35 - 10) / 10
    assert {(row["attempt_count"], row["retry_step"]) for row in rows} == {(1, 0)}
    assert len(http_receiver.calls.all()) == 35


async def test_critical_goes_first_under_a_limit_and_another_projects_limit_is_not_mine(
    world: World, http_receiver: HttpReceiver
) -> None:
    await endpoint(world, http_receiver, "u1")
    stranger = ids.new_uuid()
    await world.connection.execute("INSERT INTO notifications_project (id, name) VALUES (%s, 'stranger')", (stranger,))
    await set_limit(world, project=stranger, per_second=0.001)
    await set_limit(world, project=world.project_id, per_second=1)
    async with running(CONF):
        await world.accept_many([["u1"]] * 100, ["webhook"])
        critical = await world.accept(["u1"], ["webhook"], critical=True)
        await world.wait_for_states(critical, "sent")
        rows = await world.deliveries()
        assert sum(row["state"] == "sent" for row in rows) < 60
    await world.connection.execute("DELETE FROM delivery_sendlimit")


async def test_a_ping_is_the_probe_of_an_open_circuit(world: World, http_receiver: HttpReceiver) -> None:
    """Repaired in the middle of a long pause: whoever asks need not wait for its end."""
    endpoint_id = await endpoint(world, http_receiver, "dead")
    async with running(FAR):
        await open_circuit(world, "dead", http_receiver)
        http_receiver.answer("/dead", Answer(200))
        delivery = await in_thread(
            ping_endpoint, project_id=world.project_id, external_id="dead", endpoint_id=endpoint_id
        )

        async def sent() -> bool:
            (row,) = await world.rows("SELECT state FROM delivery_delivery WHERE id = %s", delivery.id)
            return bool(row["state"] == "sent")

        await until(sent, what="the ping to be sent")
    assert await world.rows("SELECT * FROM delivery_endpointtrouble") == []
