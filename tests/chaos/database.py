"""The database's and the API's own view of a run, read when it is over."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import psycopg

from delivery.laws import BROKEN, SINCE_EVER
from notifications import ids

_OPEN: Final = """
    SELECT (SELECT count(*) FROM notifications_notification WHERE available_at IS NOT NULL)
         + (SELECT count(*) FROM delivery_delivery WHERE available_at IS NOT NULL)"""
_FINISHED: Final = "SELECT count(*) FROM delivery_delivery WHERE finished_at IS NOT NULL"
_NOTIFICATIONS: Final = "SELECT id, (data->>'n')::int FROM notifications_notification"
_DELIVERIES: Final = """
    SELECT d.id, (n.data->>'n')::int, r.external_id, d.channel, d.state, d.reason,
           extract(epoch FROM d.created_at)::float8, extract(epoch FROM d.finished_at)::float8,
           coalesce(a.died, 0), coalesce(a.late, 0), coalesce(a.timed_out, 0)
      FROM delivery_delivery d
      JOIN notifications_notification n ON n.id = d.notification_id
      LEFT JOIN notifications_recipient r ON r.id = d.recipient_id
      LEFT JOIN (SELECT delivery_id, count(*) FILTER (WHERE outcome IS NULL) AS died,
                        count(*) FILTER (WHERE outcome IS NOT NULL AND NOT applied) AS late,
                        count(*) FILTER (WHERE outcome = 'timeout' AND applied) AS timed_out
                   FROM delivery_attempt GROUP BY 1) a ON a.delivery_id = d.id"""
_MESSAGES: Final = """
    SELECT m.id, (m.data->>'n')::int, r.external_id FROM notifications_inboxmessage m
      JOIN notifications_recipient r ON r.id = m.recipient_id ORDER BY m."offset\""""
_HEADS: Final = """
    SELECT r.external_id, i."offset" FROM notifications_inbox i JOIN notifications_recipient r ON r.id = i.recipient_id"""


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery. `died` and `late` count attempts whose process could not, or not in time, say how they ended."""

    id: str
    number: int
    recipient: str
    channel: str
    state: str
    reason: str
    created_at: float
    finished_at: float | None
    died: int = 0
    late: int = 0
    timed_out: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One in-app message."""

    id: str
    number: int
    recipient: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is there. `notifications` are pairs of id and number."""

    notifications: list[tuple[str, int]]
    deliveries: list[Row]
    messages: list[Message]
    heads: dict[str, int]
    broken_laws: list[str]
    api_states: dict[str, str]


class Database:
    """Asks PostgreSQL, past the product."""

    def __init__(self, url: str) -> None:
        self._url = url

    def progress(self) -> tuple[int, int] | None:
        """How much is open and how many deliveries are finished; None while PostgreSQL is away."""
        with contextlib.suppress(psycopg.OperationalError), self._connection() as connection:
            return _count(connection, _OPEN), _count(connection, _FINISHED)
        return None

    def heads(self) -> dict[str, int]:
        """Where each recipient's inbox stands."""
        with self._connection() as connection:
            return dict(connection.execute(_HEADS).fetchall())

    def view(self, api_states: dict[str, str]) -> View:
        with self._connection() as connection:
            return View(
                notifications=[(ids.encode("ntf", i), n) for i, n in connection.execute(_NOTIFICATIONS)],
                deliveries=[Row(ids.encode("dlv", row[0]), *row[1:]) for row in connection.execute(_DELIVERIES)],
                messages=[Message(ids.encode("msg", row[0]), *row[1:]) for row in connection.execute(_MESSAGES)],
                heads=dict(connection.execute(_HEADS).fetchall()),
                broken_laws=[row[0] for row in connection.execute(BROKEN.encode(), {"since": SINCE_EVER}).fetchall()],
                api_states=api_states,
            )

    @contextlib.contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as connection:
            yield connection


def _count(connection: psycopg.Connection[Any], sql: Any) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def read_api_states(http: httpx.Client) -> dict[str, str]:
    """The state of every delivery as a caller sees it, page by page."""
    states: dict[str, str] = {}
    after: str | None = None
    while True:
        answer = http.get("/v1/deliveries", params={"limit": 100, **({"after": after} if after else {})})
        answer.raise_for_status()
        page = answer.json()
        states |= {row["id"]: row["state"] for row in page["data"]}
        after = page["next"]
        if after is None:
            return states
