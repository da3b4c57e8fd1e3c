"""Erasing people whom workflows call, while others walk: nobody waits for ever, and nobody is made anew."""

import asyncio

from delivery.erasing import erase_recipient
from delivery.runs.stage import walk_due
from notifications.database import connect
from notifications.executor import in_thread
from tests.delivery.runs.flow import Flow, bell


async def test_erasing_and_walking_at_once_end_well(flow: Flow) -> None:
    names = [f"u{n}" for n in range(8)]
    climb = {"key": "climb", "type": "escalate", "to": names, "every": "PT1M", "times": 8, "until": "acknowledged"}
    await flow.publish("fire", [bell(), climb])
    for _ in range(5):
        await flow.ask("fire", *names)

    async def walk() -> None:
        async with await connect() as own:
            while (await walk_due(own, limit=7))[0]:
                pass

    for name in names[:6]:
        await flow.world.connection.execute(
            "UPDATE delivery_run SET available_at = '2026-01-01T00:00:00Z' WHERE state = 'waiting'"
        )
        erasing = in_thread(erase_recipient, project_id=flow.world.project_id, external_id=name)
        await asyncio.gather(walk(), walk(), erasing)
    known = await flow.world.rows("SELECT external_id FROM notifications_recipient")
    assert sorted(row["external_id"] for row in known) == names[6:]
    (version,) = await flow.world.rows("SELECT definition FROM notifications_workflowversion")
    assert version["definition"]["steps"][1]["to"] == names[6:]
    runs = await flow.runs()
    assert len(runs) == 10 and {run["state"] for run in runs} == {"waiting"}
    told = {entry["detail"]["to"] for run in runs for entry in run["log"] if entry["code"] == "escalated"}
    assert told <= {None, *names[6:]}
