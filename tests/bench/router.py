"""One process that routes: a topic through a workflow with preferences and a template, then the same rows by COPY. Prints JSON.

    python -m tests.bench.router <members>

Every member has an email address; every second one has preferences of his own. The workflow says something in the inbox and by mail, under
a condition. What COPY is measured with is a table like the real one, its indexes and checks included, filled from memory.
"""

import json
import os
import sys
import time
from typing import Any, Final

import django
import psutil
import uvloop

WORKFLOW: Final = {
    "name": "Bench",
    "category": "news",
    "steps": [
        {
            "key": "bell",
            "type": "in_app",
            "template": {"title": "Hello {{ recipient.name }}", "body": "{{ data.text }}"},
        },
        {
            "key": "mail",
            "type": "email",
            "if": {"!=": [{"var": "recipient.locale"}, "xx"]},
            "template": {"subject": "Hello {{ recipient.name }}", "body": "{{ data.text }}"},
        },
    ],
}
_PEOPLE: Final = """
    WITH people AS (
        INSERT INTO notifications_recipient (id, project_id, external_id, name, email, locale, timezone, data)
        SELECT gen_random_uuid(), %(project)s, 'p' || n, 'Person ' || n, 'p' || n || '@example.com', 'en', 'Europe/Berlin', '{}'
          FROM generate_series(1, %(members)s) n RETURNING id, external_id),
    preferring AS (
        INSERT INTO notifications_recipientpreferences (recipient_id, project_id, settings)
        SELECT id, %(project)s, '{"categories": {"news": {"sms": false}}, "channels": {"webhook": false}}' FROM people
         WHERE right(external_id, 1) IN ('0', '2', '4', '6', '8')),
    topic AS (INSERT INTO notifications_topic (id, project_id, key, name) VALUES (gen_random_uuid(), %(project)s, 'all', '') RETURNING id)
    INSERT INTO notifications_subscription (id, topic_id, recipient_id) SELECT gen_random_uuid(), topic.id, people.id FROM topic, people"""
_COLUMNS: Final = (
    "id, project_id, notification_id, recipient_id, channel, endpoint_id, critical, expires_at, state, reason, step, digest_id, "
    "decision, available_at, finished_at"
)


async def measure(members: int) -> dict[str, float]:
    """Seconds of routing and of COPY, and what routing took of memory on top."""
    from delivery.conf import conf
    from delivery.route import claim_accepted, route_claimed
    from notifications.collecting import collect_seldom
    from notifications.database import IN_ORDER, LOOK_UPS, connect, make_pool

    async with await connect() as connection:
        await _prepare(connection, members)
        # Pools and collector as in a worker (`delivery/engine.py`, `delivery/loop.py`).
        claims, pool = make_pool(max_size=1, avoid=IN_ORDER, durable=False), make_pool(max_size=1, avoid=LOOK_UPS)
        await claims.open()
        await pool.open()
        collect_seldom()
        process = psutil.Process()
        before, most = process.memory_info().rss, 0
        async with claims.connection() as claiming, pool.connection() as routing:
            began = time.perf_counter()
            while (claimed := await claim_accepted(claiming, conf()))[0]:
                await route_claimed(routing, claimed[1], conf(), lambda channels: None)
                most = max(most, process.memory_info().rss)
            routed = time.perf_counter() - began
        await claims.close()
        await pool.close()
        made = await _one(connection, "SELECT count(*) FROM delivery_delivery WHERE state = 'queued'")
        if made != 2 * members:
            raise RuntimeError(f"{made} deliveries for {members} members")
        copied = await _copy(connection, made)
    return {"route": routed, "copy": copied, "rows": float(made), "grown_mb": (most - before) / 1e6}


async def _prepare(connection: Any, members: int) -> None:
    from notifications.clock import utc_now
    from notifications.conf import conf
    from notifications.intake.requests import Answer, Request
    from notifications.intake.submission import parse_submission
    from notifications.intake.writer import write

    project = await _one(
        connection,
        "INSERT INTO notifications_project (id, name) VALUES (gen_random_uuid(), gen_random_uuid()::text) RETURNING id",
    )
    await connection.execute(_PEOPLE, {"project": project, "members": members})
    await connection.execute(
        """WITH w AS (INSERT INTO notifications_workflow (id, project_id, key) VALUES (gen_random_uuid(), %s, 'bench') RETURNING id),
           v AS (INSERT INTO notifications_workflowversion (id, workflow_id, number, definition, state, published_at)
                 SELECT gen_random_uuid(), id, 1, %s, 'published', now() FROM w RETURNING id)
           SELECT count(*) FROM v""",
        (project, json.dumps(WORKFLOW)),
    )
    await connection.execute(
        "UPDATE notifications_workflow w SET published_version_id = v.id FROM notifications_workflowversion v"
        " WHERE v.workflow_id = w.id AND w.published_version_id IS NULL"
    )
    await connection.execute("ANALYZE")
    submission = parse_submission(
        {"workflow": "bench", "recipients": [{"topic": "all"}], "data": {"text": "news"}},
        project_id=project,
        conf=conf(),
        now=utc_now(),
    )
    await write(connection, [Request(project, [submission], lambda faults: Answer(202, b"{}"))], keep_hours=1)


async def _copy(connection: Any, made: int) -> float:
    """The same rows into an empty table of the same kind, in one COPY and one transaction."""
    async with connection.cursor().copy(
        f"COPY (SELECT {_COLUMNS} FROM delivery_delivery) TO STDOUT (FORMAT BINARY)"
    ) as out:
        said = [bytes(block) async for block in out]
    await connection.execute("CREATE TABLE bench_copy (LIKE delivery_delivery INCLUDING ALL)")
    began = time.perf_counter()
    async with connection.cursor().copy(f"COPY bench_copy ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as into:
        for block in said:
            await into.write(block)
    took = time.perf_counter() - began
    if await _one(connection, "SELECT count(*) FROM bench_copy") != made:
        raise RuntimeError("COPY lost rows")
    await connection.execute("DROP TABLE bench_copy")
    await connection.execute(
        "TRUNCATE delivery_delivery, delivery_run, notifications_topic, notifications_recipient CASCADE"
    )
    return took


async def _one(connection: Any, statement: str) -> Any:
    return (await (await connection.execute(statement)).fetchone())[0]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    django.setup()
    print(json.dumps(uvloop.run(measure(int(sys.argv[1])))))


if __name__ == "__main__":
    main()
