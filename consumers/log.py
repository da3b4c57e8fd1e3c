"""The inbox log as sockets read it: changes by the page, as frames."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from consumers import metrics
from notifications.inbox import following, hints, reads
from notifications.inbox.access import LOG_FAILED as LOG_FAILED
from notifications.inbox.access import InboxAccess
from notifications.inbox.reads import Head, Position


class Page(NamedTuple):
    """Changes in order as frames, up to `head` when `complete`; not `whole` when some are kept no more."""

    head: Head
    changes: list[tuple[int, bytes]]
    complete: bool
    whole: bool


class InboxLog(InboxAccess):
    """Reads for all sockets of one process."""

    async def moved(self, positions: Sequence[Position]) -> Mapping[UUID, Head | None]:
        """`reads.moved`. Raises `LOG_FAILED`."""
        async with self.connection() as conn:
            return await reads.moved(conn, positions)

    async def oldest(self, recipient_pk: UUID) -> int | None:
        """The first offset that can still be replayed. Raises `LOG_FAILED`."""
        async with self.connection() as conn:
            return await reads.oldest_offset(conn, recipient_pk)

    async def page(self, recipient_pk: UUID, *, after: int) -> Page | None:
        """The next changes after `after`; None for an unknown recipient. Raises `LOG_FAILED`."""
        async with self.connection() as conn:
            page = await following.read_page(conn, recipient_pk, after=after, limit=reads.PAGE)
        if page is None:
            return None
        metrics.CATCH_UPS.inc()
        counts = {"unread": page.head.unread, "unseen": page.head.unseen}
        texts = [(each.offset, hints.frame(each.kind, each.offset, each.message, counts)) for each in page.changes]
        return Page(page.head, texts, page.complete, page.whole)
