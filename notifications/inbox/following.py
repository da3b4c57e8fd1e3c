"""Following an inbox from a client's last position on, for every door that replays page by page."""

from typing import Final, NamedTuple
from uuid import UUID

from notifications.inbox import reads
from notifications.inbox.reads import Change, Connection, Head
from notifications.inbox.recovery import is_kept, resume_offset

PAGE: Final = 100


class Standing(NamedTuple):
    """Where an inbox stands, and the offset after which to tell a client; None when it can't be told all it missed."""

    head: Head
    start: int | None


class Page(NamedTuple):
    """Changes in order; after them a client has everything up to `reached`, which is the head's when `complete`.

    Not `whole`: the log has been cut beyond where the client stands, so there are changes that can't be told any more.
    """

    head: Head
    changes: list[Change]
    reached: int
    complete: bool
    whole: bool


async def find_standing(
    conn: Connection, recipient_pk: UUID, *, epoch: str | None, offset: int | None
) -> Standing | None:
    """Where to begin with a client that has `offset` of `epoch` (of the current one when it names none).

    None when there is no such recipient.
    """
    head = await reads.head(conn, recipient_pk)
    if head is None:
        return None
    start = resume_offset(str(head.epoch) if epoch is None else epoch, offset, head)
    if start is None or start == head.offset:
        return Standing(head, start)
    kept = is_kept(start, head, await reads.oldest_offset(conn, recipient_pk))
    return Standing(head, start if kept else None)


async def read_page(conn: Connection, recipient_pk: UUID, *, after: int, limit: int = PAGE) -> Page | None:
    """The next changes after `after`; None when there is no such recipient."""
    head = await reads.head(conn, recipient_pk)
    if head is None:
        return None
    changes = await reads.changes(conn, recipient_pk, after=after, upto=head.offset, limit=limit)
    complete = len(changes) < limit
    reached = head.offset if complete else changes[-1].offset
    kept_from = head.kept_from
    if (changes[0].offset if changes else head.offset + 1) > after + 1:
        # Retention may have cut it between the two reads.
        again = await reads.head(conn, recipient_pk)
        kept_from = head.kept_from if again is None else again.kept_from
    return Page(head, changes, reached, complete, whole=kept_from <= after + 1)
