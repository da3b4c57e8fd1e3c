"""Rows of deliveries that are to go out, copied in: PostgreSQL's binary COPY format, put together by hand.

What deliveries of one notification, channel and step have in common is one piece of bytes, made once; a row is that behind three
ids. psycopg's own writer takes the values one by one, at eight times the cost. Format: PostgreSQL's documentation of COPY.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.planning import Asked, Planned, decision_of
from delivery.routing import Way
from delivery.states import State
from notifications import ids

_COPY: Final = """
    COPY delivery_delivery (id, recipient_id, endpoint_id, notification_id, project_id, channel, state, reason, critical, step,
                            digest_id, decision, available_at, expires_at) FROM STDIN (FORMAT BINARY)"""
_COLUMNS: Final = 14
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_UUID: Final = (16).to_bytes(4, "big")
_ROW: Final = _COLUMNS.to_bytes(2, "big") + _UUID
_JSONB: Final = b"\x01"  # version of the format
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ROWS_AT_ONCE: Final = 500


async def copy_rows(connection: AsyncConnection[TupleRow], going: Sequence[Planned], now: datetime) -> None:
    """Write them all; what has no time of its own is due `now`. Raises `UniqueViolation` where a row is there already."""
    tails: dict[object, bytes] = {}
    async with connection.cursor().copy(_COPY) as copy:
        await copy.write(_HEADER)
        for start in range(
            0, len(going), _ROWS_AT_ONCE
        ):  # PostgreSQL writes what it has while the next are put together
            await copy.write(
                b"".join([_row(asked, way, now, tails) for asked, way in going[start : start + _ROWS_AT_ONCE]])
            )
        await copy.write(_TRAILER)


def _row(asked: Asked, way: Way, now: datetime, tails: dict[object, bytes]) -> bytes:
    endpoint = _NULL if way.endpoint_id is None else _UUID + way.endpoint_id.bytes
    key = (
        asked.notification_id.int,
        way.channel,
        asked.step,
        asked.digest_id,
        way.reason,
        way.not_before,
        way.level,
        way.overruled,
    )
    tail = tails.get(key)
    if tail is None:
        tail = tails[key] = _tail(asked, way, now)
    return _ROW + ids.new_bytes() + _UUID + asked.target.recipient_id.bytes + endpoint + tail


def _tail(asked: Asked, way: Way, now: datetime) -> bytes:
    """The columns from `notification_id` on."""
    state = State.QUEUED if way.not_before is None else State.SCHEDULED
    decision = decision_of(way)
    return b"".join(
        (
            _UUID + asked.notification_id.bytes,
            _UUID + asked.project_id.bytes,
            _text(way.channel),
            _text(state.value),
            _text(way.reason),
            _sized(b"\x01" if asked.critical else b"\x00"),
            _NULL if asked.step is None else _text(asked.step),
            _NULL if asked.digest_id is None else _UUID + asked.digest_id.bytes,
            _NULL if decision is None else _sized(_JSONB + decision.encode()),
            _time(way.not_before or now),
            _NULL if asked.expires_at is None else _time(asked.expires_at),
        )
    )


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _text(value: str) -> bytes:
    return _sized(value.encode())


def _time(moment: datetime) -> bytes:
    return _sized(((moment - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True))
