"""What `/v1/inbox/events` reads and writes: positions from a query or `Last-Event-ID`, events as text, answers as JSON.

The text is the WHATWG's event stream: lines of `field: value`, an empty line after each event. JSON has no line ends.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from notifications.errors import Fault, Invalid
from notifications.inbox.following import Page
from notifications.inbox.reads import Change, Head
from notifications.inbox.shapes import counts_out

MEDIA_TYPE: Final = "text/event-stream"
LONGEST_WAIT_SECONDS: Final = 25
RETRY: Final = b"retry: 2000\n\n"
HEARTBEAT: Final = b":\n\n"

encode = msgspec.json.Encoder().encode

_LARGEST: Final = 2**63 - 1


class Since(NamedTuple):
    """The last position that a client has. An offset of None can't be resumed; an epoch of None is the current one."""

    epoch: str | None
    offset: int | None


def read_since(query: Mapping[str, str], last_event_id: str | None) -> Since | None:
    """The client's position; None when it has none. Raises `Invalid` for the query.

    `Last-Event-ID` is sent by browsers by themselves, so what is wrong with it is answered with a reset, not refused.
    """
    if last_event_id:
        epoch, _, text = last_event_id.partition(":")
        return Since(epoch, _number(text))
    if "since" not in query:
        return None
    offset = _number(query["since"])
    if offset is None:
        raise Invalid([Fault("/since", f"Must be a number from 0 to {_LARGEST}.")])
    return Since(query.get("epoch"), offset)


def read_wait(query: Mapping[str, str]) -> int:
    """How long a long poll may wait. Raises `Invalid`."""
    wait = _number(query.get("wait", str(LONGEST_WAIT_SECONDS)))
    if wait is None or wait > LONGEST_WAIT_SECONDS:
        raise Invalid([Fault("/wait", f"Must be a number of seconds from 0 to {LONGEST_WAIT_SECONDS}.")])
    return wait


def beginning(name: str, head: Head) -> bytes:
    """The event that says where the client stands now: `position` or `reset`."""
    data = {"offset": head.offset, "epoch": str(head.epoch), "counts": _counts(head)}
    return _event(name, head, head.offset, data)


def changes(page: Page) -> Iterator[bytes]:
    """One event for each change of a page; apart, so that a slow client holds up the next, not megabytes."""
    counts = _counts(page.head)
    for change in page.changes:
        yield _event(change.kind, page.head, change.offset, {**_change_out(change), "counts": counts})


def answer(page: Page) -> dict[str, Any]:
    """A page as the answer of a long poll."""
    return {
        "changes": [_change_out(change) for change in page.changes],
        "offset": page.reached,
        "epoch": str(page.head.epoch),
        "recovered": True,
        "counts": _counts(page.head),
    }


def nothing_new(head: Head) -> dict[str, Any]:
    """The answer of a long poll that waited in vain."""
    return answer(Page(head, [], head.offset, complete=True, whole=True))


def _event(name: str, head: Head, offset: int, data: dict[str, Any]) -> bytes:
    return b"id: %b:%d\nevent: %b\ndata: %b\n\n" % (str(head.epoch).encode(), offset, name.encode(), encode(data))


def _change_out(change: Change) -> dict[str, Any]:
    return {"event": change.kind, "offset": change.offset, "message": change.message}


def _counts(head: Head) -> dict[str, int]:
    return counts_out(unread=head.unread, unseen=head.unseen)


def _number(text: str) -> int | None:
    """A whole number that PostgreSQL can hold as an offset."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if number <= _LARGEST else None
