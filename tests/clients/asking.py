"""What the clients' tests share: a notification, quick retries, and waiting until something was delivered."""

from typing import Any

from carillon_client import Client, RetryPolicy
from carillon_client.results import Delivery

from tests.fixtures.platform import wait_for

FAST = RetryPolicy(first_pause_seconds=0.01)
HELLO: Any = {"channels": ["in_app"], "content": {"title": "Hello"}}


def finished(client: Client, notification_id: str) -> list[Delivery]:
    """The deliveries of a notification, once there are some and all have finished."""

    def probe() -> list[Delivery] | None:
        rows = list(client.notifications.deliveries(notification_id))
        return rows if rows and all(row.finished_at for row in rows) else None

    return wait_for(probe, timeout_seconds=60, what=f"{notification_id} to be finished")


def received(client: Client, recipient: str) -> list[str]:
    """The notifications that this recipient was sent, each once for every delivery."""
    return [delivery.notification_id for delivery in client.deliveries.list(recipient=recipient)]
