"""What recipients and their project want, decided at routing, asked again at sending, and shown by the dry run."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from delivery import in_app
from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.dry_run import plan_submission
from delivery.route import route
from delivery.services import cancel_notification
from notifications import ids
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.executor import in_thread
from notifications.intake.submission import parse_submission
from notifications.preferences.shapes import DAYS
from notifications.texts import format_time
from tests.delivery.test_engine import running, with_email
from tests.delivery.world import World, unheard
from tests.fixtures.receivers import SmtpReceiver

OFF: Final = {"email": False}


def around(moment: datetime, *, before: int = 60, after: int = 60) -> dict[str, Any]:
    """Quiet hours of every day around a moment, in UTC."""
    start, end = (moment + timedelta(minutes=m) for m in (-before, after))
    span = {"from": start.strftime("%H:%M"), "until": end.strftime("%H:%M")}
    return {"weekly": {day: [span] for day in DAYS}}


@pytest.fixture
async def ada(world: World) -> UUID:
    (recipient,) = await world.add_recipients("ada")
    await world.connection.execute("UPDATE notifications_recipient SET email = 'ada@example.com', timezone = 'UTC'")
    return recipient


async def prefer(world: World, recipient: UUID, settings: Any) -> None:
    await world.connection.execute(
        "INSERT INTO notifications_recipientpreferences (project_id, recipient_id, settings) VALUES (%s, %s, %s)"
        " ON CONFLICT (recipient_id) DO UPDATE SET settings = excluded.settings",
        (world.project_id, recipient, Jsonb(settings)),
    )


async def decide_for_all(world: World, *, preferences: Any = None, caps: Any = None, timezone: str = "UTC") -> None:
    await world.connection.execute(
        "INSERT INTO notifications_projectsettings (project_id, preferences, caps, timezone) VALUES (%s, %s, %s, %s)",
        (world.project_id, Jsonb(preferences or {}), Jsonb(caps or {}), timezone),
    )


async def routed(world: World, *channels: str, **more: Any) -> dict[str, tuple[str, str]]:
    notification = await world.accept(["ada"], channels or ("email",), **more)
    await route(world.connection, DeliveryConf(), unheard)
    return {row["channel"]: (row["state"], row["reason"]) for row in await world.deliveries(notification)}


async def test_every_level_ends_as_suppressed_and_says_which(world: World, ada: UUID) -> None:
    await prefer(world, ada, {"channels": {"in_app": False}, "categories": {"news": OFF}})
    await decide_for_all(world, preferences={"categories": {"ads": {"email": False}}, "channels": {"webhook": False}})
    off = {"in_app": ("suppressed", "preference_channel")}
    assert await routed(world, "in_app", "email", category="news") == off | {"email": ("suppressed", "unsubscribed")}
    assert await routed(world, "email", category="ads") == {"email": ("suppressed", "preference_project_category")}
    assert await routed(world, "webhook") == {"webhook": ("suppressed", "preference_project_channel")}
    assert await routed(world, "email", category="orders") == {"email": ("queued", "")}
    assert await routed(world, "in_app", "email", category="news", critical=True) == {
        "in_app": ("queued", ""),
        "email": ("queued", ""),
    }


async def test_quiet_hours_put_off_until_their_end(world: World, ada: UUID) -> None:
    now = datetime.now(UTC)
    await prefer(world, ada, {"quiet_hours": around(now)})
    assert await routed(world, "in_app", "email") == dict.fromkeys(("in_app", "email"), ("scheduled", "quiet_hours"))
    end = (now + timedelta(hours=1)).replace(second=0, microsecond=0)
    assert {row["available_at"] for row in await world.deliveries()} == {end}
    decided = [row["decision"] for row in await world.rows("SELECT decision FROM delivery_delivery")]
    assert decided == [{"waits_for": "quiet_hours", "until": format_time(end)}] * 2
    seen, claims = await claim(world.connection, channel="email", limit=10, lease_seconds=60, max_claims=3)
    assert (seen, claims) == (0, [])
    await world.end_leases()
    _, claims = await claim(world.connection, channel="email", limit=10, lease_seconds=60, max_claims=3)
    assert [item.recipient for item in claims] == ["ada"]
    (row,) = await world.rows("SELECT state, reason FROM delivery_delivery WHERE channel = 'email'")
    assert row == {"state": "sending", "reason": ""}


@pytest.mark.parametrize(
    ("hours", "submission", "expected"),
    [
        ({"policy": "digest"}, {}, ("scheduled", "quiet_hours")),
        ({"policy": "drop"}, {}, ("suppressed", "quiet_hours")),
        ({"policy": "break_through"}, {}, ("queued", "")),
        ({"channels": ["push"]}, {}, ("queued", "")),
        ({"policy": "drop"}, {"critical": True}, ("queued", "")),
    ],
    ids=str,
)
async def test_policies(
    world: World, ada: UUID, hours: dict[str, Any], submission: dict[str, Any], expected: tuple[str, str]
) -> None:
    await prefer(world, ada, {"quiet_hours": around(datetime.now(UTC)) | hours})
    assert await routed(world, **submission) == {"email": expected}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("defer", ("scheduled", "quiet_hours")),
        ("drop", ("suppressed", "quiet_hours")),
        ("break_through", ("queued", "")),
    ],
)
@pytest.mark.parametrize("own", ["defer", "drop", "break_through"])
async def test_the_senders_policy_goes_before_the_recipients(
    world: World, ada: UUID, own: str, asked: str, expected: tuple[str, str]
) -> None:
    await prefer(world, ada, {"quiet_hours": around(datetime.now(UTC)) | {"policy": own}})
    assert await routed(world, quiet_hours=asked) == {"email": expected}
    (way,) = await dry_run(world, ["ada"], quiet_hours=asked)
    assert (way["delivers"], way["reason"] or "") == (asked != "drop", expected[1])
    assert await routed(world, quiet_hours=asked, critical=True) == {"email": ("queued", "")}


async def test_the_projects_hours_and_zone_hold_where_the_recipient_has_none(world: World, ada: UUID) -> None:
    await world.connection.execute("UPDATE notifications_recipient SET timezone = NULL")
    in_kolkata = datetime.now(UTC) + timedelta(hours=5, minutes=30)
    await decide_for_all(world, preferences={"quiet_hours": around(in_kolkata)}, timezone="Asia/Kolkata")
    assert await routed(world) == {"email": ("scheduled", "quiet_hours")}
    await world.connection.execute("UPDATE notifications_recipient SET timezone = 'UTC'")
    assert await routed(world) == {"email": ("queued", "")}


async def test_caps_put_off_and_never_drop(world: World, ada: UUID) -> None:
    caps = {"channels": {"email": {"limit": 2, "per": "PT1H"}}, "categories": {"news": {"limit": 1, "per": "PT2H"}}}
    await decide_for_all(world, caps=caps)
    for _ in range(3):
        await world.accept(["ada"], ["email", "in_app"])
    await route(world.connection, DeliveryConf(), unheard)
    rows = await world.rows("SELECT * FROM delivery_delivery WHERE channel = 'email' ORDER BY available_at, id")
    assert [(row["state"], row["reason"]) for row in rows] == [("queued", ""), ("queued", ""), ("scheduled", "capped")]
    assert rows[2]["available_at"] - rows[0]["available_at"] == timedelta(hours=1)
    assert await routed(world, "email", critical=True) == {"email": ("queued", "")}
    news = dict.fromkeys(("email",), ("scheduled", "capped"))
    assert await routed(world, category="news") == news
    (last,) = (await world.deliveries())[-1:]
    assert last["available_at"] == rows[0]["available_at"] + timedelta(hours=1)  # email's second window
    assert await routed(world, "in_app", category="news") == {"in_app": ("scheduled", "capped")}
    (last,) = (await world.deliveries())[-1:]
    assert last["available_at"] == rows[0]["available_at"] + timedelta(hours=3)  # two hours behind the mail


async def test_who_is_reached_by_two_entries_takes_one_place(world: World, ada: UUID) -> None:
    await decide_for_all(world, caps={"channels": {"email": {"limit": 2, "per": "PT1H"}}})
    await world.add_topic("all", [ada])
    await world.add_topic("more", [ada])
    for expected in (("queued", ""), ("queued", ""), ("scheduled", "capped")):
        notification = await world.accept([{"topic": "all"}, {"topic": "more"}, "ada"], ["email"])
        while await route(world.connection, DeliveryConf(), unheard):
            pass
        assert [(row["state"], row["reason"]) for row in await world.deliveries(notification)] == [expected]


async def test_what_is_cancelled_gives_its_places_back(world: World, ada: UUID) -> None:
    caps = {"channels": {"email": {"limit": 2, "per": "PT1H"}}, "categories": {"news": {"limit": 3, "per": "PT1H"}}}
    await decide_for_all(world, caps=caps)
    asked = [await world.accept(["ada"], ["email", "in_app"], category="news") for _ in range(2)]
    await route(world.connection, DeliveryConf(), unheard)
    waits = await world.accept(["ada"], ["email"], category="news")
    await route(world.connection, DeliveryConf(), unheard)
    assert [(row["state"], row["reason"]) for row in await world.deliveries(waits)] == [("scheduled", "capped")]
    # One sent mail stays counted; of the others every place is free again, in both caps, and none twice.
    await world.connection.execute(
        "UPDATE delivery_delivery SET claims = 1 WHERE notification_id = %s AND channel = 'email'", (asked[0],)
    )
    for notification in (asked[1], waits):
        await in_thread(cancel_notification, notification_id=notification)
    await world.connection.execute("UPDATE delivery_delivery SET state = 'retrying' WHERE claims = 1")
    await in_thread(cancel_notification, notification_id=asked[0])
    expected = [("queued", ""), ("scheduled", "capped")]
    for state in expected:
        assert await routed(world, "email", category="news") == {"email": state}


async def test_places_that_come_free_leave_all_others_counted(world: World, ada: UUID) -> None:
    """Two went, two wait for the next hour: without these two there is no room in this hour."""
    await decide_for_all(world, caps={"channels": {"email": {"limit": 2, "per": "PT1H"}}})
    asked = [await world.accept(["ada"], ["email"]) for _ in range(4)]
    await route(world.connection, DeliveryConf(), unheard)
    rows = {row["notification_id"]: row["available_at"] for row in await world.deliveries()}
    assert len({rows[notification] for notification in asked}) == 2
    for notification in sorted(asked, key=lambda each: rows[each])[2:]:
        await in_thread(cancel_notification, notification_id=notification)
    assert await routed(world) == {"email": ("scheduled", "capped")}
    (last,) = (await world.deliveries())[-1:]
    assert last["available_at"] == max(rows.values())


async def test_what_is_not_sent_takes_no_place(world: World, ada: UUID) -> None:
    await decide_for_all(world, caps={"channels": {"email": {"limit": 1, "per": "PT1H"}}})
    await prefer(world, ada, {"categories": {"news": OFF}})
    assert await routed(world, category="news") == {"email": ("suppressed", "unsubscribed")}
    assert await routed(world) == {"email": ("queued", "")}


async def test_caps_and_quiet_hours_together_spread_over_the_morning(world: World, ada: UUID) -> None:
    now = datetime.now(UTC)
    await decide_for_all(world, caps={"channels": {"email": {"limit": 1, "per": "PT10M"}}})
    await prefer(world, ada, {"quiet_hours": around(now)})
    for _ in range(3):
        await world.accept(["ada"], ["email"])
    await route(world.connection, DeliveryConf(), unheard)
    end = (now + timedelta(hours=1)).replace(second=0, microsecond=0)
    rows = await world.rows("SELECT available_at AS at, reason FROM delivery_delivery ORDER BY available_at")
    assert [row["at"] - end for row in rows] == [timedelta(minutes=10 * n) for n in range(3)]
    assert [row["reason"] for row in rows] == ["quiet_hours", "capped", "capped"]


async def test_a_topics_members_are_each_asked(world: World, ada: UUID) -> None:
    (bob,) = await world.add_recipients("bob")
    await world.connection.execute("UPDATE notifications_recipient SET email = external_id || '@example.com'")
    await world.add_topic("everybody", [ada, bob])
    await prefer(world, ada, {"quiet_hours": around(datetime.now(UTC)), "channels": {"in_app": False}})
    await world.accept([{"topic": "everybody"}], ["email", "in_app"])
    await route(world.connection, DeliveryConf(), unheard)
    assert {(row["recipient"], row["channel"]): row["state"] for row in await world.deliveries()} == {
        ("ada", "email"): "scheduled",
        ("ada", "in_app"): "suppressed",
        ("bob", "email"): "queued",
        ("bob", "in_app"): "queued",
    }


async def test_who_changes_their_mind_meanwhile_is_heard_on_every_channel(
    world: World, ada: UUID, smtp_receiver: SmtpReceiver
) -> None:
    await decide_for_all(world, preferences={"categories": {"orders": {"email": True}}})
    gone = await world.accept(["ada"], ["email", "in_app"])
    urgent = await world.accept(["ada"], ["email", "in_app"], critical=True)
    orders = await world.accept(["ada"], ["email"], category="orders")
    await route(world.connection, DeliveryConf(), unheard)
    await prefer(world, ada, {"channels": {"email": False, "in_app": False}})
    async with running(with_email(smtp_receiver.port)):
        for notification in (gone, urgent, orders):
            await world.wait_for_states(notification, "sent", "delivered", "suppressed")
    states = {(row["channel"], row["state"], row["reason"]) for row in await world.deliveries(gone)}
    assert states == {(channel, "suppressed", "preference_channel") for channel in ("email", "in_app")}
    assert {row["state"] for row in await world.deliveries(urgent)} == {"sent", "delivered"}
    assert {row["state"] for row in await world.deliveries(orders)} == {"sent"}  # the project's more specific yes


async def test_an_inbox_keeps_no_message_that_is_not_wanted(world: World, ada: UUID) -> None:
    await world.accept(["ada"], ["in_app"], category="news")
    await route(world.connection, DeliveryConf(), unheard)
    await prefer(world, ada, {"categories": {"news": {"in_app": False}}})
    assert await in_app.deliver(world.connection, limit=10) == (1, [])
    (row,) = await world.deliveries()
    assert (row["state"], row["reason"], row["attempt_count"]) == ("suppressed", "unsubscribed", 0)


async def dry_run(world: World, recipients: list[Any], **more: Any) -> list[dict[str, Any]]:
    submission = parse_submission(
        {"recipients": recipients, "content": {"title": "x"}, "channels": ["in_app"], **more},
        project_id=world.project_id,
        conf=conf(),
        now=utc_now(),
    )
    submission.body.channels = ["email"]
    entries = await in_thread(plan_submission, submission)
    return [entry["recipients"][0]["ways"][0] for entry in entries]


async def test_the_dry_run_shows_who_decided_and_when_it_goes(world: World, ada: UUID) -> None:
    now = datetime.now(UTC)
    await prefer(world, ada, {"categories": {"news": OFF, "orders": {"email": True}}, "quiet_hours": around(now)})
    end = (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:00.000Z")
    (way,) = await dry_run(world, ["ada"], category="news")
    assert (way["delivers"], way["reason"], way["preference"]) == (False, "unsubscribed", "category")
    (way,) = await dry_run(world, ["ada"], category="news", critical=True)
    assert (way["delivers"], way["preference"], way["overruled"]) == (True, "critical", "category")
    (way,) = await dry_run(world, ["ada"], category="orders")
    assert (way["delivers"], way["reason"], way["preference"]) == (True, "quiet_hours", "category")
    assert way["not_before"] == end
    elsewhere = {"id": "ada", "timezone": "Pacific/Kiritimati"}  # it would be another time there
    (way,) = await dry_run(world, [elsewhere])
    assert (way["reason"], way["not_before"]) == (None, None)


async def test_the_dry_run_looks_at_caps_and_takes_nothing(world: World, ada: UUID) -> None:
    await decide_for_all(world, caps={"channels": {"email": {"limit": 1, "per": "PT1H"}}})
    new = {"id": "new", "email": "new@example.com"}
    for _ in range(2):
        assert [way["reason"] for way in await dry_run(world, ["ada", new])] == [None, None]
    assert await routed(world) == {"email": ("queued", "")}
    ada_way, new_way = await dry_run(world, ["ada", new])
    assert (ada_way["reason"], ada_way["delivers"], new_way["reason"]) == ("capped", True, None)


async def test_one_projects_settings_are_nothing_to_another(world: World, ada: UUID) -> None:
    other = ids.new_uuid()
    await world.connection.execute("INSERT INTO notifications_project (id, name) VALUES (%s, 'other')", (other,))
    await decide_for_all(World(world.connection, other), preferences={"channels": {"email": False}})
    assert await routed(world) == {"email": ("queued", "")}
