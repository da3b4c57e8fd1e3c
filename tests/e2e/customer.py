"""Whoever uses a running platform: calls its API and keeps an inbox open as a browser would."""

import json
import threading
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.fixtures.platform import Platform, wait_for
from tests.fixtures.receivers import Arrivals

Json = dict[str, Any]

TERMINAL: Final = {"sent", "delivered", "failed", "suppressed", "digested", "expired", "cancelled"}


class Customer:
    """An application with an API key."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.http = platform.http

    def call(self, method: str, path: str, status: int, **more: Any) -> Json:
        """One request that must be answered with `status`; gives the body."""
        answer = self.http.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def add_recipient(self, recipient: str, **fields: Any) -> None:
        self.call("PUT", f"/v1/recipients/{recipient}", 201, json=fields)

    def add_endpoint(self, recipient: str, url: str) -> Json:
        """A webhook endpoint: its id and its secret among others."""
        return self.call("POST", f"/v1/recipients/{recipient}/endpoints", 201, json={"channel": "webhook", "url": url})

    def add_topic(self, key: str, members: list[str]) -> None:
        self.call("PUT", f"/v1/topics/{key}", 201, json={})
        for start in range(0, len(members), 1000):
            batch = {"recipients": members[start : start + 1000]}
            self.call("POST", f"/v1/topics/{key}/subscriptions", 200, json=batch)

    def send(self, recipients: list[Any], channels: list[str], *, key: str | None = None, **more: Any) -> str:
        """Submit a notification; gives its id."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.call(
            "POST", "/v1/notifications", 202, json=submission(recipients, channels, **more), headers=headers
        )
        assert answer["status"] == "accepted"
        identifier: str = answer["id"]
        return identifier

    def deliveries(self, notification: str) -> list[Json]:
        """All deliveries of a notification, page by page."""
        rows: list[Json] = []
        after: str | None = None
        while True:
            params = {"limit": 100, **({"after": after} if after else {})}
            page = self.call("GET", f"/v1/notifications/{notification}/deliveries", 200, params=params)
            rows += page["data"]
            after = page["next"]
            if after is None:
                return rows

    def finished(self, notification: str, timeout_seconds: float = 60.0) -> list[Json]:
        """The deliveries of a notification once it is routed and all of them are terminal."""

        def probe() -> list[Json] | None:
            if self.call("GET", f"/v1/notifications/{notification}", 200)["status"] == "accepted":
                return None
            rows = self.deliveries(notification)
            return rows if rows and all(row["state"] in TERMINAL for row in rows) else None

        return wait_for(probe, timeout_seconds=timeout_seconds, what=f"{notification} to be finished")

    def attempts(self, delivery: Json) -> list[Json]:
        attempts: list[Json] = self.call("GET", f"/v1/deliveries/{delivery['id']}", 200)["attempts"]
        return attempts

    def token(self, recipient: str) -> str:
        token: str = self.call("POST", f"/v1/recipients/{recipient}/tokens", 201)["token"]
        return token

    def inbox(self, recipient: str) -> "Inbox":
        """The recipient's inbox, held open; use it in a `with`."""
        return Inbox(self.platform.url, self.token(recipient))


def submission(recipients: list[Any], channels: list[str], **more: Any) -> Json:
    """The body of a POST /v1/notifications."""
    content = {"title": "Hello", "body": "It **rings**.", "action_url": "https://example.com/orders/1"}
    return {"recipients": recipients, "channels": channels, "content": content, **more}


class Inbox:
    """A socket client as the contract describes one: it resumes from its last offset whenever the socket breaks.

    It applies exactly what it is sent. `faults` are breaches of the contract: a gap, a double, a resume that was refused.
    """

    def __init__(self, url: str, token: str) -> None:
        self.changes: Arrivals[Json] = Arrivals()
        self.faults: list[str] = []
        self.offset = 0
        self.connects = 0
        self.closes: list[int] = []  # the codes with which the server ended a socket
        self._url = url.replace("http://", "ws://") + "/ws/inbox"
        self._token = token
        self._epoch: str | None = None
        self._stopping = threading.Event()
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def __enter__(self) -> "Inbox":
        self._thread.start()
        assert self._connected.wait(30), f"the inbox socket did not connect: {self.faults}"
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)

    def created(self, count: int, timeout_seconds: float = 60.0) -> list[Json]:
        """The messages that arrived, once there are `count`."""
        changes = self.changes.wait_for(
            count, lambda change: change["event"] == "message.created", timeout_seconds=timeout_seconds
        )
        return [change["message"] for change in changes]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect(self._url, compression=None, open_timeout=10, close_timeout=2, proxy=None) as socket:
                    self._shake_hands(socket)
                    while not self._stopping.is_set():
                        self._take(socket)
            except ConnectionClosed as closed:
                if closed.rcvd is not None:
                    self.closes.append(closed.rcvd.code)
                self._stopping.wait(0.1)
            except (WebSocketException, OSError, EOFError):
                self._stopping.wait(0.1)

    def _shake_hands(self, socket: ClientConnection) -> None:
        arguments: Json = {"token": self._token}
        if self._epoch is not None:
            arguments["since"] = {"epoch": self._epoch, "offset": self.offset}
        socket.send(json.dumps({"id": 1, "connect": arguments}))
        answer = json.loads(socket.recv(timeout=10))["connect"]
        if self._epoch is None:
            self._epoch, self.offset = answer["epoch"], answer["offset"]
        elif not answer["recovered"]:
            self.faults.append(f"not recovered from {self.offset}: {answer}")
        self.connects += 1
        self._connected.set()

    def _take(self, socket: ClientConnection) -> None:
        try:
            frame = json.loads(socket.recv(timeout=0.2))
        except TimeoutError:
            return
        if frame["event"] == "position":
            if frame["offset"] != self.offset:
                self.faults.append(f"position {frame['offset']} after {self.offset}")
            return
        if frame["offset"] != self.offset + 1:
            self.faults.append(f"offset {frame['offset']} after {self.offset}")
        self.offset = frame["offset"]
        self.changes.add(frame)
