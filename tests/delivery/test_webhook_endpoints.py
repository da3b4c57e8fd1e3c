"""What an endpoint can ask for, through the engine to a real receiver: rotation, v1a, headers, filters, ping, log, own schedule."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from delivery.pings import ping_endpoint
from delivery.requests import requests_of
from delivery.selectors import get_delivery
from notifications import ids
from notifications.errors import Conflict
from notifications.executor import in_thread
from notifications.models import Endpoint
from notifications.services.endpoints import change_endpoint, create_endpoint, forget_old_secrets, rotate_secret
from tests.delivery.test_engine import arrived, running
from tests.delivery.transports.webhook.test_signing import verify_v1a
from tests.delivery.world import World
from tests.fixtures.receivers import Answer, Call, HttpReceiver


@pytest.fixture
async def known(world: World) -> World:
    """A world that knows the recipient `u1`."""
    await world.add_recipients("u1")
    return world


async def add_endpoint(world: World, url: str, **options: Any) -> tuple[Endpoint, str | None]:
    return await in_thread(
        create_endpoint, project_id=world.project_id, external_id="u1", channel="webhook", url=url, options=options
    )


def named(world: World, endpoint: Endpoint) -> dict[str, Any]:
    return {"project_id": world.project_id, "external_id": "u1", "endpoint_id": endpoint.id}


def verified_by(secret: str | None, call: Call) -> bool:
    assert secret is not None
    try:
        Webhook(secret).verify(call.body, dict(call.headers))
    except WebhookVerificationError:
        return False
    return True


def check_v1a(public_key: str, call: Call) -> None:
    headers: Mapping[str, str] = call.headers
    timestamp = int(headers["webhook-timestamp"])
    verify_v1a(public_key, headers["webhook-id"], timestamp, call.body, headers["webhook-signature"])


async def sent(world: World, http_receiver: HttpReceiver) -> Call:
    """Send one more; the call that arrives."""
    before = len(http_receiver.calls.all())
    await world.wait_for_states(await world.accept(["u1"], ["webhook"]), "sent")
    return http_receiver.calls.all()[before]


async def shown(world: World, delivery_id: UUID) -> list[Any]:
    def read() -> list[Any]:
        return list(requests_of(get_delivery(project_id=world.project_id, delivery_id=delivery_id)))

    return await in_thread(read)


async def test_after_a_rotation_both_secrets_sign_for_a_day(known: World, http_receiver: HttpReceiver) -> None:
    endpoint, first = await add_endpoint(known, http_receiver.url + "/hook")
    async with running():
        assert verified_by(first, await sent(known, http_receiver))
        rotated, second = await in_thread(rotate_secret, **named(known, endpoint))
        _, third = await in_thread(rotate_secret, **named(known, endpoint))
        assert rotated.old_secret_until is not None
        call = await sent(known, http_receiver)
        assert [verified_by(secret, call) for secret in (first, second, third)] == [True, True, True]
        assert len(call.headers["webhook-signature"].split(" ")) == 3
        # A day later, swept or not, only the newest signs.
        await known.connection.execute("UPDATE notifications_endpoint SET old_secret_until = now()")
        call = await sent(known, http_receiver)
        assert [verified_by(secret, call) for secret in (first, second, third)] == [False, False, True]
        _, fourth = await in_thread(rotate_secret, **named(known, endpoint))
        call = await sent(known, http_receiver)
        assert [verified_by(secret, call) for secret in (first, second, third, fourth)] == [False, False, True, True]
    assert await in_thread(forget_old_secrets) == 0
    await known.connection.execute("UPDATE notifications_endpoint SET old_secret_until = now()")
    assert await in_thread(forget_old_secrets) == 1
    (row,) = await known.rows("SELECT sealed_old_secret, old_secret_until FROM notifications_endpoint")
    assert row == {"sealed_old_secret": "", "old_secret_until": None}


async def test_changing_the_kind_of_signature_leaves_nobody_behind(known: World, http_receiver: HttpReceiver) -> None:
    endpoint, secret = await add_endpoint(known, http_receiver.url + "/hook")
    async with running():
        changed, none = await in_thread(rotate_secret, **named(known, endpoint), signature="v1a")
        assert (none, changed.signature) == (None, "v1a")
        call = await sent(known, http_receiver)
        assert [part.split(",")[0] for part in call.headers["webhook-signature"].split(" ")] == ["v1a", "v1"]
        check_v1a(changed.public_key, call)
        assert verified_by(secret, call)
        await known.connection.execute("UPDATE notifications_endpoint SET old_secret_until = now()")
        call = await sent(known, http_receiver)
        assert call.headers["webhook-signature"].startswith("v1a,") and " " not in call.headers["webhook-signature"]
        check_v1a(changed.public_key, call)


async def test_both_signatures_and_own_headers(known: World, http_receiver: HttpReceiver) -> None:
    headers = {"authorization": "Bearer sesame"}
    endpoint, secret = await add_endpoint(known, http_receiver.url + "/hook", signature="both", headers=headers)
    async with running():
        call = await sent(known, http_receiver)
        await in_thread(
            change_endpoint, **named(known, endpoint), changes={"headers": {"authorization": None, "x-new": "1"}}
        )
        later = await sent(known, http_receiver)
    assert verified_by(secret, call)
    check_v1a(endpoint.public_key, call)
    assert call.headers["authorization"] == "Bearer sesame"
    assert ("authorization" not in later.headers, later.headers["x-new"]) == (True, "1")
    stored = str(await known.rows("SELECT * FROM notifications_endpoint, delivery_attempt"))
    assert "sesame" not in stored and str(secret) not in stored


async def test_only_wanted_events_become_deliveries(known: World, http_receiver: HttpReceiver) -> None:
    orders, _ = await add_endpoint(known, http_receiver.url + "/orders", event_types=["order-*"])
    other, _ = await add_endpoint(known, http_receiver.url + "/other", event_types=["notification"])
    async with running():
        rows = await known.wait_for_states(await known.accept(["u1"], ["webhook"]), "sent")
        assert [row["endpoint_id"] for row in rows] == [other.id]
        await in_thread(change_endpoint, **named(known, other), changes={"event_types": ["invoice-paid"]})
        (row,) = await known.wait_for_states(await known.accept(["u1"], ["webhook"]), "suppressed")
        assert (row["reason"], row["endpoint_id"], row["attempt_count"]) == ("event_filtered", None, 0)
        await in_thread(change_endpoint, **named(known, orders), changes={"event_types": []})
        rows = await known.wait_for_states(await known.accept(["u1"], ["webhook"]), "sent")
        assert [row["endpoint_id"] for row in rows] == [orders.id]
    assert sorted(call.path for call in http_receiver.calls.all()) == ["/orders", "/other"]


async def test_a_ping_takes_the_real_way_and_is_tried_once(known: World, http_receiver: HttpReceiver) -> None:
    endpoint, secret = await add_endpoint(known, http_receiver.url + "/hook", event_types=["order-*"])
    http_receiver.answer("/hook", Answer(200), Answer(500))
    async with running():
        good = await in_thread(ping_endpoint, **named(known, endpoint))
        await known.wait_for_states(good.notification_id, "sent")
        bad = await in_thread(ping_endpoint, **named(known, endpoint))
        (row,) = await known.wait_for_states(bad.notification_id, "sent", "failed")
    assert (row["state"], row["reason"], row["attempt_count"]) == ("failed", "http_500", 1)
    call = http_receiver.calls.all()[0]
    assert verified_by(secret, call)
    body = Webhook(str(secret)).verify(call.body, dict(call.headers))
    assert (body["type"], body["data"]["recipient"]) == ("ping", "u1")
    assert call.headers["webhook-id"] == ids.encode("dlv", good.id)
    assert (await known.notification(good.notification_id))["status"] == "routed"


async def test_a_disabled_endpoint_is_not_pinged(known: World) -> None:
    endpoint, _ = await add_endpoint(known, "https://example.com/")
    await in_thread(change_endpoint, **named(known, endpoint), changes={"state": "disabled"})
    with pytest.raises(Conflict):
        await in_thread(ping_endpoint, **named(known, endpoint))
    assert await known.deliveries() == []


async def test_a_ping_is_guarded(known: World) -> None:
    """A URL that became forbidden after it was stored, as after a change of the exempt networks."""
    endpoint, _ = await add_endpoint(known, "http://169.254.169.254/latest")
    async with running():
        ping = await in_thread(ping_endpoint, **named(known, endpoint))
        (row,) = await known.wait_for_states(ping.notification_id, "sent", "failed")
    assert row["reason"] == "forbidden_address"
    assert await shown(known, row["id"]) == [None]


async def test_the_log_shows_request_and_response(known: World, http_receiver: HttpReceiver) -> None:
    said = Answer(503, headers={"x-request-id": "r-1", "set-cookie": "id=sesame"}, body=b"busy " * 2000)
    http_receiver.answer("/hook", said, Answer(200))
    headers = {"x-api-key": "sesame"}
    await add_endpoint(known, http_receiver.url + "/hook?token=sesame", signature="both", headers=headers)
    async with running():
        notification = await known.accept(["u1"], ["webhook"])
        (row,) = await known.wait_for_states(notification, "sent")
    attempts = await known.attempts(row["id"])
    requests = await shown(known, row["id"])
    assert len(attempts) == len(requests) == 2
    assert "sesame" not in str(attempts) + str(requests)
    calls = http_receiver.calls.all()
    assert requests[0]["body"].encode() == calls[0].body
    assert requests[0]["url"] == http_receiver.url + "/hook?token=********"
    assert requests[0]["headers"]["webhook-id"] == calls[0].headers["webhook-id"]
    assert requests[0]["headers"]["webhook-signature"] == "v1,******** v1a,********"
    assert attempts[0]["response"]["status"] == 503
    assert attempts[0]["response"]["body"] == ("busy " * 2000)[:4096]
    assert attempts[0]["response"]["headers"]["x-request-id"] == "r-1"
    await known.connection.execute('UPDATE notifications_notification SET content = \'{"title": "other"}\'')
    (first, _) = await shown(known, row["id"])
    assert (first["body"], first["body_sha256"]) == (None, requests[0]["body_sha256"])


@pytest.mark.parametrize(("schedule", "attempts"), [([], 1), ([1, 1], 3), (None, 3)])
async def test_an_endpoint_has_its_own_schedule(
    known: World, http_receiver: HttpReceiver, schedule: list[int] | None, attempts: int
) -> None:
    http_receiver.answer("/hook", Answer(500))
    await add_endpoint(known, http_receiver.url + "/hook", retry_seconds=schedule)
    async with running():
        (row,) = await known.wait_for_states(await known.accept(["u1"], ["webhook"]), "failed")
    assert row["attempt_count"] == attempts
    assert len(await arrived(http_receiver, "/hook", attempts)) == attempts
