"""A web process is killed with sockets open: presence, counts and tokens are right again, and nothing drifts."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.customer import Customer
from tests.fixtures.platform import Platform, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# A lease, and what a loaded machine needs beyond it.
LEASE_LIMIT_SECONDS = 15.0 + 30.0


def open_socket(platform: Platform, token: str) -> ClientConnection:
    """A browser that does not come back by itself."""
    socket = connect(platform.url.replace("http://", "ws://") + "/ws/inbox", compression=None, proxy=None, legacy=True)
    socket.send(json.dumps({"id": 1, "connect": {"token": token}}))
    assert "connect" in json.loads(socket.recv(timeout=20))
    return socket


def close_code(socket: ClientConnection) -> int | None:
    try:
        while True:
            socket.recv(timeout=20)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


def test_a_web_process_killed_under_sockets(start_platform: Callable[..., Platform]) -> None:
    platform = start_platform(env={"WEB_PROCESSES": "1"})
    customer = Customer(platform)

    def presence(recipient: str) -> Any:
        return customer.call("GET", f"/v1/recipients/{recipient}/presence", 200)

    def until_devices(recipient: str, count: int) -> Any:
        wait_for(
            lambda: presence(recipient)["devices"] == count,
            timeout_seconds=LEASE_LIMIT_SECONDS,
            what=f"{recipient} to have {count} devices",
        )
        return presence(recipient)

    def counts(token: str) -> Any:
        with platform.browser() as http:
            answer = http.get("/v1/inbox/counts", headers={"Authorization": f"Bearer {token}"})
        return answer.json() if answer.status_code == 200 else answer.status_code

    leaver, stayer = customer.token("leaver"), customer.token("stayer")
    with customer.inbox("stayer") as inbox:
        customer.finished(customer.send(["stayer"], ["in_app"]))
        inbox.created(1)
        left_behind = open_socket(platform, leaver)
        until_devices("leaver", 1)
        until_devices("stayer", 1)
        assert counts(stayer)["unread"] == 1
        started = datetime.now(UTC)
        old = platform.kill("web")
        assert close_code(left_behind) is None
        # While nobody answers, a message comes in: its push meets no process that would hear it.
        platform.wait_until_replaced("web", old)
        platform.wait_until_answering()
        customer.finished(customer.send(["stayer"], ["in_app"]))
        inbox.created(2)
        wait_for(lambda: counts(stayer)["unread"] == 2, timeout_seconds=20, what="the badge to be right")
        # What the killed process said ends with its lease; who came back is one device, not two.
        assert until_devices("leaver", 0)["online"] is False
        again = until_devices("stayer", 1)
        assert datetime.fromisoformat(again["connected_since"]) > started
        assert inbox.faults == []
        # Taken back on all devices, by whatever process they are held.
        second = open_socket(platform, stayer)
        until_devices("stayer", 2)
        customer.call("POST", "/v1/recipients/stayer/tokens/revoke", 200)
        assert close_code(second) == 4401
        wait_for(lambda: 4401 in inbox.closes, timeout_seconds=20, what="the other device to be closed")
        assert counts(stayer) == 401
        gone = until_devices("stayer", 0)
        wait_for(lambda: presence("stayer")["last_seen_at"], timeout_seconds=20, what="the end to be recorded")
        assert gone["connected_since"] is None
    fresh = open_socket(platform, customer.token("stayer"))
    until_devices("stayer", 1)
    fresh.close()
