"""A simulation says of the same events what the engine does in these tests: who finds what in the inbox, and when."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from deploy.simulation.running import simulate
from deploy.simulation.scenario import parse_scenario
from tests.delivery.runs.flow import START, Flow, bell, digest, listed

THROTTLE = {"key": "t", "type": "throttle", "limit": 2, "window": "PT1H"}
WORKFLOWS: dict[str, list[dict[str, Any]]] = {
    "digest": [bell(), digest(digest_key="{{ data.thread }}"), listed()],
    "slides": [digest(window={"sliding": "PT5M", "max": "PT12M"}), listed()],
    "full": [digest(max_items=2, first_at_once=True), listed()],
    "throttle": [THROTTLE, bell()],
    "later": [
        {"key": "c", "type": "condition", "if": {"==": [{"var": "data.thread"}, "a"]}, "else": "wait"},
        bell(),
        {"key": "wait", "type": "delay", "for": "PT15M"},
        {"key": "again", "type": "in_app", "template": {"title": "again {{ data.text }}", "body": "b"}},
    ],
}
# Minutes after the start, workflow, recipient, thread.
EVENTS = [
    (minute, key, recipient, thread)
    for minute, recipient, thread in ((0, "u1", "a"), (4, "u1", "b"), (8, "u2", "a"), (11, "u1", "a"), (50, "u1", "b"))
    for key in WORKFLOWS
]
LENGTH = timedelta(hours=4)

Arrival = tuple[datetime, str, str]


async def test_the_simulation_agrees(flow: Flow) -> None:
    for key, steps in WORKFLOWS.items():
        await flow.publish(key, steps)
    for minute, key, recipient, thread in EVENTS:
        await flow.go_to(START + timedelta(minutes=minute))
        await flow.ask(key, recipient, text=f"{key} {minute}", data={"thread": thread})
        await flow.run()
    await flow.go_to(START + LENGTH)
    rows = await flow.world.rows(
        "SELECT m.created_at, r.external_id, m.title FROM notifications_inboxmessage m"
        " JOIN notifications_recipient r ON r.id = m.recipient_id"
    )
    really = sorted((row["created_at"], row["external_id"], row["title"]) for row in rows)
    assert len(really) > len(EVENTS)
    assert await asyncio.to_thread(simulated) == really


def simulated() -> list[Arrival]:
    story = simulate(
        parse_scenario(
            {
                "start": START.isoformat(),
                "until": "PT4H",
                "recipients": [{"id": "u1"}, {"id": "u2"}],
                "workflows": {key: {"name": key.title(), "steps": steps} for key, steps in WORKFLOWS.items()},
                "events": [
                    {
                        "at": f"PT{minute}M",
                        "notify": {
                            "workflow": key,
                            "recipients": [recipient],
                            "data": {"thread": thread, "text": f"{key} {minute}"},
                        },
                    }
                    for minute, key, recipient, thread in EVENTS
                ],
            }
        )
    )
    return sorted((entry.at, entry.recipient or "", entry.title or "") for entry in story.went_out)
