"""`/v1/inbox`: one recipient's messages, with a token in place of an API key, and every change to them as it comes.

Changes come by long poll, so they pass wherever HTTP does; each tells the position (epoch and offset) that it leads to,
and whoever gives that position again misses nothing and sees nothing twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx

from .drivers import DEFAULT_TIMEOUT_SECONDS, AsyncDriver, SyncDriver
from .inbox_results import InboxChanges, InboxCounts, InboxMessage, Position
from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, path, post
from .result import Page
from .retries import RetryPolicy

LONGEST_WAIT_SECONDS = 25


class _Inbox(Resource[DriverT]):
    """What both colours can do."""

    @listing
    def messages(
        self,
        *,
        status: str | None = None,
        category: str | None = None,
        page_size: int = 100,
        after: str | None = None,
    ) -> Request[Page[InboxMessage]]:
        """Messages, newest first; `status` is `all` (that are not archived), `unread`, `unseen` or `archived`."""
        where = path("inbox", "messages")
        return get(where, Page[InboxMessage], status=status, category=category, limit=page_size, after=after)

    @operation
    def counts(self) -> Request[InboxCounts]:
        """How many wait."""
        return get(path("inbox", "counts"), InboxCounts)

    @operation
    def seen(self, message_id: str) -> Request[InboxMessage]:
        """Mark as seen."""
        return _change(message_id, "seen")

    @operation
    def read(self, message_id: str) -> Request[InboxMessage]:
        """Mark as read, and so as seen."""
        return _change(message_id, "read")

    @operation
    def unread(self, message_id: str) -> Request[InboxMessage]:
        """Mark as unread."""
        return _change(message_id, "unread")

    @operation
    def archive(self, message_id: str) -> Request[InboxMessage]:
        """Put away."""
        return _change(message_id, "archive")

    @operation
    def unarchive(self, message_id: str) -> Request[InboxMessage]:
        """Put back."""
        return _change(message_id, "unarchive")

    @operation
    def acknowledge(self, message_id: str) -> Request[InboxMessage]:
        """Say that somebody takes care of it; ends what goes on until then."""
        return _change(message_id, "acknowledge")

    @operation
    def delete(self, message_id: str) -> Request[None]:
        """Remove for good, on every device."""
        return delete(path("inbox", "messages", message_id))

    @operation
    def read_all(self) -> Request[InboxCounts]:
        """Mark everything as read that is not archived."""
        return post(path("inbox", "read-all"), None, InboxCounts, None)

    @operation
    def seen_all(self) -> Request[InboxCounts]:
        """Mark everything as seen that is not archived."""
        return post(path("inbox", "seen-all"), None, InboxCounts, None)

    @operation
    def changes(
        self, after: Position | None = None, *, wait_seconds: int = LONGEST_WAIT_SECONDS
    ) -> Request[InboxChanges]:
        """What has changed after this position, as soon as there is something, or nothing when the wait is over.

        Without a position the answer comes at once and tells the present one.
        """
        epoch, offset = (after.epoch, after.offset) if after is not None else (None, None)
        asked = get(path("inbox", "events"), InboxChanges, since=offset, epoch=epoch, wait=wait_seconds)
        return asked.taking(wait_seconds)


class Inbox(_Inbox[SyncDriver]):
    """One recipient's inbox, blocking. `token` comes from `client.tokens.create`; other arguments as `Client`'s."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        super().__init__(SyncDriver(base_url, token, timeout, retries, http))

    def follow(self, after: Position | None = None) -> Iterator[InboxChanges]:
        """Changes without end. Where `recovered` is False, as in the beginning, load the `messages` anew.

        Raises `Unauthorized` when the token ends: go on with another one, after the last `position`.
        """
        while True:
            found = self.changes(after)
            after = found.position
            if found.changes or not found.recovered:
                yield found

    def close(self) -> None:
        """Close the connections."""
        self.driver.close()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncInbox(_Inbox[AsyncDriver]):
    """One recipient's inbox, for asyncio; arguments as `Inbox`'s."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: RetryPolicy | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(AsyncDriver(base_url, token, timeout, retries, http))

    async def follow(self, after: Position | None = None) -> AsyncIterator[InboxChanges]:
        """As `Inbox.follow`."""
        while True:
            found = await self.changes(after)
            after = found.position
            if found.changes or not found.recovered:
                yield found

    async def aclose(self) -> None:
        """Close the connections."""
        await self.driver.aclose()

    async def __aenter__(self) -> AsyncInbox:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _change(message_id: str, action: str) -> Request[InboxMessage]:
    return post(path("inbox", "messages", message_id, action), None, InboxMessage, None)
