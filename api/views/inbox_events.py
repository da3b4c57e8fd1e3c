"""`/v1/inbox/events`: an inbox followed over HTTP, as server-sent events or by long poll. Both replay from the log."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from api import event_stream
from api.base import json_response
from api.event_stream import Since, encode
from api.inbox import InboxRequest, InboxView, admitted, answered, bad_token
from api.openapi import HEADER_VALUE, operation
from api.problems import HttpProblem
from api.queries import read_query
from api.serializers.inbox import InboxChangesOut
from api.streaming import StreamedResponse
from notifications.clock import utc_now
from notifications.errors import Unavailable
from notifications.inbox.following import Page, Standing, find_standing, read_page
from notifications.inbox.process import InboxDoor, inbox_door
from notifications.inbox.reads import Head
from notifications.tokens import LEEWAY_SECONDS, RecipientToken

_HEARTBEAT_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 1.0
_WAIT: Final = event_stream.LONGEST_WAIT_SECONDS


class InboxEvents(InboxView):
    """`/v1/inbox/events`"""

    media_types = ("application/json", event_stream.MEDIA_TYPE)

    @operation(
        tag="Inbox",
        name="follow_inbox",
        summary="Follow the inbox",
        description=(
            "Every change after `since`, each once and in order, then each new one as it comes. With `Accept: "
            "text/event-stream` as server-sent events that go on until the token ends or is revoked: `message.created`, "
            "`message.updated`, `message.deleted` and `message.expired` with `{event, offset, message, counts}` as data, and `position` at a beginning without "
            "`since` or `reset` where not everything missed can be told (load the inbox anew), both with `{offset, "
            "epoch, counts}`. Otherwise as JSON long poll: one answer as soon as there are changes, or at the end of `wait`."
        ),
        parameters=[
            OpenApiParameter(
                "since",
                {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                description="The last offset that the client has; without it there is nothing to wait for yet.",
            ),
            OpenApiParameter(
                "epoch", str, description="The epoch that `since` belongs to; the current one if left out."
            ),
            OpenApiParameter(
                "wait",
                {"type": "integer", "minimum": 0, "maximum": _WAIT, "default": _WAIT},
                description="Seconds that a long poll waits at most.",
            ),
            OpenApiParameter(
                "Last-Event-ID",
                HEADER_VALUE,
                OpenApiParameter.HEADER,
                description="The `id` of the last event, `<epoch>:<offset>`; goes before `since`.",
            ),
        ],
        answers={
            (200, "application/json"): InboxChangesOut,
            (200, event_stream.MEDIA_TYPE): OpenApiTypes.STR,
        },
    )
    async def get(self, request: InboxRequest) -> HttpResponse:
        query = read_query(request, {"since", "epoch", "wait"})
        since = event_stream.read_since(query, request.META.get("HTTP_LAST_EVENT_ID"))
        wait = event_stream.read_wait(query)
        door, recipient = await inbox_door(), request.recipient
        standing = await answered(_find(door, recipient.recipient_pk, since))
        if standing is None:
            raise bad_token()
        admitted(standing.head, recipient)
        as_stream = _wants_stream(request)
        if as_stream and request.method == "HEAD":
            return HttpResponse(content_type=event_stream.MEDIA_TYPE)
        start = standing.start
        if not as_stream and (start != standing.head.offset or wait == 0 or request.method == "HEAD"):
            return await _answer_now(door, recipient, standing)
        await door.watch.open()
        if not door.watch.has_room(recipient.recipient_pk):
            raise HttpProblem(
                429, "too_many_streams", "Too many clients of this recipient wait here.", {"Retry-After": "5"}
            )
        if as_stream:
            parts = _stream(door, recipient, standing, is_resume=since is not None)
            response = StreamedResponse(parts, content_type=event_stream.MEDIA_TYPE)
            response["X-Accel-Buffering"] = "no"
            return response
        return StreamedResponse(_poll(door, recipient, standing.head, wait), content_type="application/json")


async def _stream(
    door: InboxDoor, recipient: RecipientToken, standing: Standing, *, is_resume: bool
) -> AsyncGenerator[bytes, None]:
    """Events from `standing` on, until the token ends or is revoked, the recipient is gone or the server stops."""
    pk, ends_at = recipient.recipient_pk, _end_of(recipient)
    epoch, offset = standing.head.epoch, standing.start
    yield event_stream.RETRY
    if offset is None:
        offset = standing.head.offset
        yield event_stream.beginning("reset" if is_resume else "position", standing.head)
    async with door.watch.watching(pk, (epoch, offset), recipient.issued_at, is_stream=True) as watcher:
        while not door.watch.draining and time.monotonic() < ends_at:
            try:
                page = await answered(_read(door, pk, offset))
            except Unavailable:
                # A stream that ended now would be asked for again by everybody at once.
                yield event_stream.HEARTBEAT
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if page is None or not page.head.admits(recipient.issued_at):
                return
            if page.head.epoch != epoch or not page.whole:
                yield event_stream.beginning("reset", page.head)
            else:
                for event in event_stream.changes(page):
                    yield event
            epoch, offset = (
                page.head.epoch,
                page.reached if page.head.epoch == epoch and page.whole else page.head.offset,
            )
            watcher.position = (epoch, offset)
            rest = min(_HEARTBEAT_SECONDS, ends_at - time.monotonic())
            if (page.complete or not page.whole) and not await watcher.wait(rest):
                yield event_stream.HEARTBEAT


async def _poll(door: InboxDoor, recipient: RecipientToken, head: Head, wait: int) -> AsyncGenerator[bytes, None]:
    """One answer: when something changes, when the wait ends, or when the server stops."""
    pk, ends_at = recipient.recipient_pk, min(time.monotonic() + wait, _end_of(recipient))
    answer = event_stream.nothing_new(head)
    async with door.watch.watching(pk, (head.epoch, head.offset), recipient.issued_at) as watcher:
        while not door.watch.draining:
            try:
                page = await answered(_read(door, pk, head.offset))
            except Unavailable:
                break  # what was promised is said: nothing is known to have changed
            if page is None or not page.head.admits(recipient.issued_at):
                break
            answer = _changes_since(head, page)
            if answer["changes"] or not answer["recovered"] or not await watcher.wait(ends_at - time.monotonic()):
                break
    yield encode(answer)


async def _answer_now(door: InboxDoor, recipient: RecipientToken, standing: Standing) -> HttpResponse:
    head = standing.head
    if standing.start is None:
        return json_response({**event_stream.nothing_new(head), "recovered": False})
    page = await answered(_read(door, recipient.recipient_pk, standing.start))
    if page is None:
        raise bad_token()
    admitted(page.head, recipient)
    return json_response(_changes_since(head, page))


def _changes_since(head: Head, page: Page) -> dict[str, Any]:
    """The long poll's answer: `page` was read after a position in the history of `head`."""
    if page.head.epoch != head.epoch or not page.whole:
        return {**event_stream.nothing_new(page.head), "recovered": False}
    return event_stream.answer(page)


async def _find(door: InboxDoor, pk: UUID, since: Since | None) -> Standing | None:
    async with door.access.connection() as conn:
        return await find_standing(
            conn, pk, epoch=None if since is None else since.epoch, offset=None if since is None else since.offset
        )


async def _read(door: InboxDoor, pk: UUID, after: int) -> Page | None:
    async with door.access.connection() as conn:
        return await read_page(conn, pk, after=after)


def _end_of(recipient: RecipientToken) -> float:
    """When the token ends, on the clock that does not jump."""
    return time.monotonic() + (recipient.expires_at - utc_now()).total_seconds() + LEEWAY_SECONDS


def _wants_stream(request: HttpRequest) -> bool:
    accept = str(request.META.get("HTTP_ACCEPT", ""))
    return any(part.partition(";")[0].strip().lower() == event_stream.MEDIA_TYPE for part in accept.split(","))
