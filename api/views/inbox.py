"""`/v1/inbox`: a recipient's messages, how many wait, and what the recipient does with them."""

from collections.abc import Sequence
from typing import Any, Final, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api import paging, paths
from api.base import json_response
from api.etags import has_current
from api.inbox import InboxRequest, InboxView, admitted, answered, bad_token
from api.openapi import HEADER_VALUE, LIST_PARAMETERS, operation, page_of
from api.plain_counts import counts_of, tag_of
from api.queries import read_query
from api.serializers.inbox import InboxCountsOut, InboxMessageOut
from notifications.errors import Fault, Invalid, NotFound
from notifications.inbox import reads
from notifications.inbox.changes import Action, Applied, apply_action
from notifications.inbox.head_cache import cached_head
from notifications.inbox.process import InboxDoor, inbox_door
from notifications.inbox.reads import Head
from notifications.tokens import BadToken, RecipientToken

_STATUSES: Final = ("all", "unread", "unseen", "archived")
_IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match", HEADER_VALUE, OpenApiParameter.HEADER, description="The `ETag` of an earlier answer."
)
_NOT_MODIFIED: Final = "Nothing has changed since the answer with this `ETag`."


class InboxMessages(InboxView):
    """`/v1/inbox/messages`"""

    @operation(
        tag="Inbox",
        name="list_messages",
        summary="List messages",
        description="Newest first. `all` are all that are not archived. The `ETag` holds until the inbox changes.",
        parameters=[
            OpenApiParameter("status", str, enum=_STATUSES, default="all"),
            OpenApiParameter("category", str, description="Only messages of this category."),
            *LIST_PARAMETERS,
            _IF_NONE_MATCH,
        ],
        answers={200: page_of(InboxMessageOut), 304: _NOT_MODIFIED},
    )
    async def get(self, request: InboxRequest) -> HttpResponse:
        pk = request.recipient.recipient_pk
        query = read_query(request, paging.PARAMETERS | {"status", "category"})
        status = query.get("status", "all")
        if status not in _STATUSES:
            raise Invalid([Fault("/status", f"Must be one of {', '.join(_STATUSES)}.")])
        page = paging.read_page(query, name="inbox", project_id=pk)
        door = await inbox_door()
        # The head first: what changes after it makes the list newer than its tag says, never older.
        tag = tag_of(await _head(door, request.recipient))
        if has_current(request, tag):
            return _not_modified(tag)
        found = await answered(_find(door, pk, page, status=status, category=query.get("category")))
        return _tagged(paging.enclose(found, page, lambda message: message, _position), tag)


class InboxCounts(InboxView):
    """`/v1/inbox/counts`"""

    @operation(
        tag="Inbox",
        name="get_counts",
        summary="Count messages",
        description="With the position to follow the inbox from. The `ETag` holds until the inbox changes. Made to be asked"
        " often: usually answered without the database and right within milliseconds of a change, after a crash within 5 s.",
        parameters=[_IF_NONE_MATCH],
        answers={200: InboxCountsOut, 304: _NOT_MODIFIED},
        answer_example={"unread": 3, "unseen": 1, "offset": 57, "epoch": "0f4c2d0e-6b7a-4e0c-9d3f-2a1b5c8e7d90"},
    )
    async def get(self, request: InboxRequest) -> HttpResponse:
        read_query(request, ())
        head = admitted(await cached_head(request.recipient.recipient_pk, _fresh_head), request.recipient)
        tag = tag_of(head)
        return _not_modified(tag) if has_current(request, tag) else _tagged(counts_of(head), tag)


class InboxMessageAction(InboxView):
    """`/v1/inbox/messages/{id}/{action}`"""

    @operation(
        tag="Inbox",
        name="change_message",
        summary="Change a message",
        description="What is so already stays as it is, so this can be repeated. Read is seen too, acknowledged is read too.",
        answers={200: InboxMessageOut},
    )
    async def post(self, request: InboxRequest, message_id: str, action: str) -> HttpResponse:
        if action not in paths.SCHEMAS["action"]["enum"]:
            raise NotFound("There is nothing at this address.")
        row_id = paths.row("msg", message_id)
        applied = await _apply(request, cast(Action, action), [row_id])
        if applied.events:
            return json_response(applied.events[0]["message"])
        door = await inbox_door()
        return json_response(await answered(_read(door, request.recipient.recipient_pk, row_id)))


class InboxMessageItem(InboxView):
    """`/v1/inbox/messages/{id}`"""

    @operation(
        tag="Inbox",
        name="delete_message",
        summary="Delete a message",
        description="For good, on every device; archive what may be wanted again. Can be repeated.",
        answers={204: None},
    )
    async def delete(self, request: InboxRequest, message_id: str) -> HttpResponse:
        await _apply(request, "delete", [paths.row("msg", message_id)])
        return HttpResponse(status=204)


class InboxReadAll(InboxView):
    """`/v1/inbox/read-all`"""

    @operation(
        tag="Inbox",
        name="read_all_messages",
        summary="Mark all messages as read",
        description="All that are not archived.",
        answers={200: InboxCountsOut},
    )
    async def post(self, request: InboxRequest) -> HttpResponse:
        return json_response(counts_of((await _apply(request, "read_all", None)).head))


class InboxSeenAll(InboxView):
    """`/v1/inbox/seen-all`"""

    @operation(
        tag="Inbox",
        name="see_all_messages",
        summary="Mark all messages as seen",
        description="All that are not archived.",
        answers={200: InboxCountsOut},
    )
    async def post(self, request: InboxRequest) -> HttpResponse:
        return json_response(counts_of((await _apply(request, "seen_all", None)).head))


async def _apply(request: InboxRequest, action: Action, message_ids: Sequence[UUID] | None) -> Applied:
    """Do it, and tell every device of this recipient."""
    read_query(request, ())
    door, pk = await inbox_door(), request.recipient.recipient_pk
    await _head(door, request.recipient)

    async def work() -> Applied:
        async with door.access.connection() as conn:
            applied = await apply_action(
                conn,
                recipient_pk=pk,
                action=action,
                message_ids=message_ids,
                issued_at=request.recipient.issued_at,
            )
        # Here, so that it happens too when the answer comes too late for whoever asked.
        await door.publish(applied.events)
        return applied

    try:
        return await answered(work())
    except BadToken:
        raise bad_token() from None


async def _head(door: InboxDoor, token: RecipientToken) -> Head:
    """Where the inbox stands. Raises `HttpProblem` 401 when its recipient is gone or the token revoked."""
    return admitted(await answered(door.access.head(token.recipient_pk)), token)


async def _fresh_head(recipient_pk: UUID) -> Head | None:
    door = await inbox_door()
    return await answered(door.access.head(recipient_pk))


async def _find(
    door: InboxDoor, pk: UUID, page: paging.Page, *, status: str, category: str | None
) -> list[dict[str, Any]]:
    """The wanted messages and one more; a cursor holds an offset in the place of a row's id."""
    async with door.access.connection() as conn:
        return await reads.messages(
            conn,
            pk,
            status=status,
            category=category,
            before=None if page.after is None else page.after.int,
            after=None if page.before is None else page.before.int,
            limit=page.limit + 1,
        )


async def _read(door: InboxDoor, pk: UUID, message_id: UUID) -> dict[str, Any]:
    async with door.access.connection() as conn:
        message = await reads.message(conn, pk, message_id)
    if message is None:
        raise NotFound("No such message in this inbox.")
    return message


def _position(message: dict[str, Any]) -> UUID:
    return UUID(int=message["offset"])


def _tagged(value: Any, tag: str) -> HttpResponse:
    return json_response(value, headers={"ETag": tag, "Cache-Control": "private, no-cache"})


def _not_modified(tag: str) -> HttpResponse:
    return HttpResponse(status=304, headers={"ETag": tag, "Cache-Control": "private, no-cache"})
