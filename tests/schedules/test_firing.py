"""What is due is made, each time once: with no Beat, with one, with two at the same moment, killed in between, clocks jumping."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications import ids
from notifications.conf import NotificationsConf, conf
from notifications.database import connect
from notifications.executor import in_thread
from notifications.intake.writer import Connection
from schedules.beat import keep_in_step
from schedules.firing import fire_due
from schedules.models import Schedule
from tests.delivery.world import World, until

BODY = {"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "Hi"}, "metadata": {"mine": 1}}


def known() -> NotificationsConf:
    return replace(conf(), channels=frozenset({"in_app", "email"}))


async def add(world: World, *, due: str | None = "now()", key: str = "s", body: Any = BODY, **columns: Any) -> UUID:
    """A schedule whose next time is `due` (SQL), on a whole minute, and the one after it, by default, new year."""
    schedule_id = ids.new_uuid()
    columns = {"cron": "0 0 1 1 *", "timezone": "UTC", "catch_up": "one", "paused": False, **columns}
    next_at = "NULL" if due is None else f"date_trunc('minute', {due})"
    names = "".join(f', "{name}"' for name in columns)
    await world.connection.execute(
        f"INSERT INTO schedules_schedule (id, project_id, key, notification, anchor, next_at{names})"
        f" VALUES (%s, %s, %s, %s, date_trunc('minute', now()) - interval '9 days', {next_at}{', %s' * len(columns)})",
        (schedule_id, world.project_id, key, psycopg.types.json.Json(body), *columns.values()),
    )
    return schedule_id


async def made(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT id, metadata, recipients, status FROM notifications_notification ORDER BY id")


async def runs(world: World, schedule_id: UUID | None = None) -> list[dict[str, Any]]:
    return await world.rows(
        "SELECT r.*, s.next_at FROM schedules_schedulerun r JOIN schedules_schedule s ON s.id = r.schedule_id"
        " WHERE %s::uuid IS NULL OR r.schedule_id = %s ORDER BY r.occurrence",
        schedule_id,
        schedule_id,
    )


async def next_of(world: World, schedule_id: UUID) -> dict[str, Any]:
    (row,) = await world.rows(
        "SELECT next_at, asked_at, now() AS now FROM schedules_schedule WHERE id = %s", schedule_id
    )
    return row


async def test_what_is_due_becomes_a_notification_that_tells_of_it(world: World) -> None:
    schedule_id = await add(world)
    before = await next_of(world, schedule_id)
    fired = await fire_due(world.connection, known())
    assert (fired.count, fired.more) == (1, False)
    (notification,) = await made(world)
    (run,) = await runs(world)
    told = notification["metadata"]
    assert (told["mine"], told["schedule"]) == (1, "s")
    assert datetime.fromisoformat(told["occurrence"]) == run["occurrence"] == before["next_at"]
    assert (run["outcome"], run["notification_id"]) == ("fired", notification["id"])
    assert run["next_at"] > before["now"]
    assert (await fire_due(world.connection, known())).count == 0


async def test_what_is_not_due_is_left(world: World) -> None:
    await add(world, due="now() + interval '2 minutes'")
    await add(world, due=None, key="paused", paused=True)
    assert (await fire_due(world.connection, known())).count == 0
    assert await made(world) == []


async def test_many_are_made_in_batches(world: World) -> None:
    for number in range(7):
        await add(world, key=f"s{number}")
    counts = [(await fire_due(world.connection, known(), limit=3)) for _ in range(4)]
    assert [(fired.count, fired.more) for fired in counts] == [(3, True), (3, True), (1, False), (0, False)]
    assert len({run["schedule_id"] for run in await runs(world)}) == 7


async def test_two_at_the_same_moment_make_it_once(world: World, other: Connection) -> None:
    """One that holds the row keeps the others off it, and they do not wait."""
    schedule_id = await add(world)
    async with world.connection.transaction():
        assert (await fire_due(world.connection, known())).count == 1
        async with asyncio.timeout(20):
            assert (await fire_due(other, known())).count == 0
    assert (await fire_due(other, known())).count == 0
    assert len(await made(world)) == len(await runs(world, schedule_id)) == 1


@pytest.mark.parametrize("firers", [1, 2, 8])
async def test_however_many_look_each_time_is_made_once(world: World, firers: int) -> None:
    names = [f"s{number}" for number in range(20)]
    for name in names:
        await add(world, key=name, cron="* * * * *", due="now() - interval '10 minutes'", catch_up="all")

    async def look() -> int:
        async with await connect() as connection:
            count = 0
            for _ in range(30):
                count += (await fire_due(connection, known(), limit=3)).count
            return count

    counted = sum(await asyncio.gather(*(look() for _ in range(firers))))
    told = Counter((row["metadata"]["schedule"], row["metadata"]["occurrence"]) for row in await made(world))
    assert set(told.values()) == {1}
    assert {name for name, _ in told} == set(names)
    assert counted == len(told) == len(await runs(world)) >= 11 * len(names)


async def test_killed_before_the_commit_it_is_due_as_before(world: World, other: Connection) -> None:
    schedule_id = await add(world)
    before = await next_of(world, schedule_id)

    async def fire_and_be_killed() -> None:
        async with other.transaction():
            assert (await fire_due(other, known())).count == 1
            await world.connection.execute("SELECT pg_terminate_backend(%s)", (other.info.backend_pid,))
            await other.execute("SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        await fire_and_be_killed()

    async def gone() -> bool:
        return not await world.rows("SELECT 1 FROM pg_stat_activity WHERE pid = %s", other.info.backend_pid)

    await until(gone, what="the killed connection to end")
    assert (await made(world), await runs(world)) == ([], [])
    assert (await next_of(world, schedule_id))["next_at"] == before["next_at"]
    assert (await fire_due(world.connection, known())).count == 1
    assert len(await made(world)) == 1


@pytest.mark.parametrize(
    ("catch_up", "outcomes", "passed_over"),
    [("one", ["fired"], True), ("skip", ["missed"], True), ("all", ["fired"] * 4, False)],
)
async def test_catching_up(world: World, catch_up: str, outcomes: list[str], passed_over: bool) -> None:
    """Four times were missed while nothing ran, the last of them an hour ago."""
    await world.connection.execute("SET TIME ZONE 'UTC'")
    (clock,) = await world.rows("SELECT date_trunc('hour', now()) AS hour")
    end = clock["hour"] - timedelta(hours=1)
    first = end - timedelta(hours=3)
    await add(world, due=f"'{first.isoformat()}'::timestamptz", cron="0 * * * *", catch_up=catch_up, end=end)
    assert (await fire_due(world.connection, known())).count == outcomes.count("fired")
    found = await runs(world)
    assert [run["outcome"] for run in found] == outcomes
    assert found[-1]["occurrence"] == end
    assert [run["passed_over_since"] for run in found] == [first if passed_over else None] * len(found)
    assert len(await made(world)) == outcomes.count("fired")
    assert found[0]["next_at"] is None


async def test_a_run_that_was_asked_for_leaves_the_rules_times_alone(world: World) -> None:
    later = await add(world, due="now() + interval '5 minutes'", asked_at=(await clock(world)))
    paused = await add(world, key="paused", due=None, paused=True, asked_at=(await clock(world)))
    both = await add(world, key="both", asked_at=(await clock(world)))
    before = await next_of(world, later)
    assert (await fire_due(world.connection, known())).count == 4
    assert (await next_of(world, later))["next_at"] == before["next_at"]
    left = await next_of(world, paused)
    assert (left["next_at"], left["asked_at"]) == (None, None)
    assert [run["occurrence"] for run in await runs(world, later)] == [before["asked_at"]]
    assert len(await runs(world, both)) == 2
    assert (await fire_due(world.connection, known())).count == 0


async def test_making_what_was_asked_for_is_nobodys_change(world: World) -> None:
    schedule_id = await add(world, due=None, paused=True, asked_at=(await clock(world)))
    assert (await fire_due(world.connection, known())).count == 1
    await world.connection.execute("UPDATE schedules_schedule SET paused = false, asked_at = now()")
    told = await world.rows(
        "SELECT action, changed FROM notifications_auditentry WHERE subject_id = %s ORDER BY id", str(schedule_id)
    )
    assert [row["action"] for row in told] == ["insert", "update"]
    assert told[1]["changed"] == ["asked_at", "paused"]


async def test_a_clock_that_goes_back_brings_nothing_twice(world: World) -> None:
    """A time that is recorded is not made again, whoever sets it."""
    schedule_id = await add(world)
    await fire_due(world.connection, known())
    (first,) = await runs(world)
    await world.connection.execute(
        "UPDATE schedules_schedule SET next_at = %s WHERE id = %s", (first["occurrence"], schedule_id)
    )
    assert (await fire_due(world.connection, known())).count == 0
    assert [run["occurrence"] for run in await runs(world)] == [first["occurrence"]]
    assert len(await made(world)) == 1
    assert (await next_of(world, schedule_id))["next_at"] == first["next_at"]


async def test_what_is_not_acceptable_any_more_is_told_and_harms_nobody(world: World) -> None:
    topic = {**BODY, "recipients": [{"topic": "gone"}]}
    await add(world, key="topic", body=topic)
    await add(world, key="channel", body={**BODY, "channels": ["fax"]})
    await add(world, key="huge", body={**BODY, "category": "x" * 300})
    await add(world, key="unreadable", cron=None, rrule="FREQ=SECONDLY")
    await add(world, key="fine")
    assert (await fire_due(world.connection, known())).count == 1
    (notification,) = await made(world)
    assert notification["metadata"]["schedule"] == "fine"
    reasons = {
        row["key"]: (row["outcome"], row["reason"], row["next_at"] is None)
        for row in await world.rows(
            "SELECT s.key, r.outcome, r.reason, s.next_at FROM schedules_schedulerun r"
            " JOIN schedules_schedule s ON s.id = r.schedule_id WHERE s.key <> 'fine'"
        )
    }
    assert reasons["topic"] == ("refused", "/recipients/0/topic: No topic has this key.", False)
    assert reasons["channel"][1].startswith("/channels/0: No such channel")
    assert reasons["huge"][0] == "refused"
    assert reasons["unreadable"][0::2] == ("refused", True)


async def test_what_the_database_refuses_harms_only_itself(world: World) -> None:
    """Text that was kept as JSON but cannot be written to a row: as a change of a limit between two releases would bring."""
    await add(world, key="bad")
    await add(world, key="fine")
    await world.connection.execute(
        "ALTER TABLE notifications_notification ADD CONSTRAINT refusing CHECK (metadata->>'schedule' <> 'bad')"
    )
    try:
        assert (await fire_due(world.connection, known())).count == 1
    finally:
        await world.connection.execute("ALTER TABLE notifications_notification DROP CONSTRAINT refusing")
    outcomes = {
        row["key"]: row
        for row in await world.rows(
            "SELECT s.key, r.* FROM schedules_schedulerun r JOIN schedules_schedule s ON s.id = r.schedule_id"
        )
    }
    assert outcomes["bad"]["reason"] == "The database does not take it: CheckViolation"
    assert outcomes["fine"]["outcome"] == "fired"


async def test_beats_entry_falls_silent_with_the_last_time(world: World) -> None:
    (row,) = await world.rows("SELECT now() AS now")
    schedule_id = await add(world, cron=None, at=row["now"].replace(microsecond=0))

    def entry() -> bool:
        schedule = Schedule.objects.get(id=schedule_id)
        keep_in_step(schedule)
        return schedule.next_at is not None

    assert await in_thread(entry)
    named = "SELECT enabled FROM django_celery_beat_periodictask WHERE name = %s"
    (name,) = [f"schedule: s ({schedule_id})"]
    assert (await world.rows(named, name)) == [{"enabled": True}]
    (before,) = await world.rows("SELECT last_update FROM django_celery_beat_periodictasks")
    await fire_due(world.connection, known())
    assert (await world.rows(named, name)) == [{"enabled": False}]
    (after,) = await world.rows("SELECT last_update FROM django_celery_beat_periodictasks")
    assert after["last_update"] > before["last_update"]


async def clock(world: World) -> datetime:
    (row,) = await world.rows("SELECT now() AS now")
    now: datetime = row["now"]
    return now


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fire"), st.integers(1, 3)),
        st.tuples(st.just("killed"), st.integers(1, 3)),
        st.tuples(st.just("clock"), st.integers(-90, 300)),
        st.tuples(st.just("ask"), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.fixture
async def movable(world: World) -> AsyncIterator[World]:
    """A world whose `now()` is what a row says, for this connection."""
    await world.connection.execute("CREATE SCHEMA IF NOT EXISTS moved")
    await world.connection.execute("CREATE TABLE moved.clock (at timestamptz NOT NULL)")
    await world.connection.execute("INSERT INTO moved.clock VALUES ('2027-10-31T00:00:30Z')")
    await world.connection.execute(
        "CREATE FUNCTION moved.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM moved.clock'"
    )
    await world.connection.execute("SET search_path = moved, pg_catalog, public")
    yield world
    await world.connection.execute("RESET search_path")
    await world.connection.execute("DROP SCHEMA moved CASCADE")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, catch_up=st.sampled_from(["one", "all", "skip"]))
async def test_any_order_of_looks_kills_and_clocks_makes_each_time_at_most_once(
    movable: World, steps: list[tuple[str, int]], catch_up: str
) -> None:
    """`all` makes every time up to the furthest that a look saw, in order; the others never make one twice."""
    world, start = movable, datetime.fromisoformat("2027-10-31T00:00:30Z")
    await world.connection.execute(
        "TRUNCATE schedules_schedule, schedules_schedulerun, notifications_notification CASCADE"
    )
    await world.connection.execute("UPDATE moved.clock SET at = %s", (start,))
    schedule_id = await add(world, due="now() + interval '1 minute'", cron="*/10 * * * *", catch_up=catch_up)
    await world.connection.execute("UPDATE schedules_schedule SET next_at = '2027-10-31T00:10:00Z'")
    seen = start
    asked: set[datetime] = set()
    for step, amount in [*steps, ("fire", 3)]:
        now = await clock_of(world)
        if step == "clock":
            await world.connection.execute("UPDATE moved.clock SET at = at + make_interval(mins => %s)", (amount,))
        elif step == "ask":
            await world.connection.execute(
                "UPDATE schedules_schedule SET asked_at = coalesce(asked_at, moved.now() + interval '1 second')"
            )
        elif step == "killed":
            async with world.connection.transaction(force_rollback=True):
                await fire_due(world.connection, known(), limit=amount)
        else:
            seen = max(seen, now)
            waiting = await world.rows("SELECT asked_at FROM schedules_schedule WHERE asked_at IS NOT NULL")
            asked |= {row["asked_at"] for row in waiting}
            while (await fire_due(world.connection, known(), limit=amount)).more:
                pass
    told = [row["metadata"]["occurrence"] for row in await made(world)]
    assert len(told) == len(set(told))
    fired = [run for run in await runs(world, schedule_id) if run["outcome"] == "fired"]
    assert sorted(run["notification_id"] for run in fired) == [row["id"] for row in await made(world)]
    by_rule = [run["occurrence"] for run in fired if run["occurrence"] not in asked]
    assert asked <= {run["occurrence"] for run in fired}
    expected = [start + timedelta(minutes=10 * n + 9, seconds=30) for n in range(10_000)]
    expected = [time for time in expected if time <= seen]
    if catch_up == "all":
        assert by_rule == expected
    else:
        assert set(by_rule) <= set(expected)
        assert (expected[-1:] == by_rule[-1:]) or catch_up == "skip" or not expected


async def clock_of(world: World) -> datetime:
    (row,) = await world.rows("SELECT at FROM moved.clock")
    at: datetime = row["at"]
    return at
