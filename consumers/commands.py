"""Commands of a connected socket: parse, call one function, answer."""

from typing import Any, cast
from uuid import UUID

from consumers import frames
from consumers.codes import CloseCode
from consumers.connection import Connection
from consumers.frames import Command, IdsIn, ListIn
from consumers.handshake import connect
from consumers.hub import Hub
from consumers.log import LOG_FAILED
from notifications import ids
from notifications.errors import NotFound
from notifications.inbox import reads
from notifications.inbox.changes import Action, apply_action
from notifications.inbox.hints import packed
from notifications.inbox.publish import publish
from notifications.inbox.reads import Head
from notifications.inbox.shapes import counts_out
from notifications.tokens import BadToken


async def run_command(hub: Hub, connection: Connection, command: Command) -> None:
    """Do one command and put its answer in line."""
    if (command.name == "connect") == (connection.recipient_pk is not None):
        code = "already_connected" if command.name == "connect" else "not_connected"
        connection.push(frames.error(command.id, code, "The connect command comes first, and once."))
        return
    try:
        if command.name == "connect":
            await connect(hub, connection, command)
        elif command.name == "list":
            await _list(hub, connection, command)
        else:
            await _change(hub, connection, command)
    except BadToken:
        connection.close(CloseCode.BAD_TOKEN)
    except NotFound as error:
        connection.push(frames.error(command.id, "not_found", error.detail))
    except LOG_FAILED:
        connection.push(frames.error(command.id, "unavailable", "The database does not answer. Try again."))


async def _list(hub: Hub, connection: Connection, command: Command) -> None:
    args: ListIn = command.args
    recipient_pk = cast(UUID, connection.recipient_pk)
    async with hub.log.connection() as conn:
        # The head first: what changes after it is pushed, and is not missing from what the client then knows.
        head = await reads.head(conn, recipient_pk)
        found = await reads.messages(conn, recipient_pk, status=args.status, before=args.before, limit=args.limit + 1)
    if head is None or not connection.is_admitted_by(head):
        raise BadToken
    page = found[: args.limit]
    following = page[-1]["offset"] if len(found) > args.limit else None
    connection.push(frames.reply(command.id, "ok", {**_position(head), "messages": page, "next": following}))


async def _change(hub: Hub, connection: Connection, command: Command) -> None:
    message_ids = _message_ids(command.args) if isinstance(command.args, IdsIn) else None
    async with hub.log.connection() as conn:
        applied = await apply_action(
            conn,
            recipient_pk=cast(UUID, connection.recipient_pk),
            action=cast(Action, command.name),
            message_ids=message_ids,
            issued_at=connection.issued_at,
        )
    connection.push(frames.reply(command.id, "ok", _position(applied.head)))
    # Sockets here need no Redis to know; to them its copy is old news.
    hub.dispatch(map(packed, applied.events))
    await publish(applied.events)


def _message_ids(args: IdsIn) -> list[UUID]:
    decoded = [ids.decode("msg", text) for text in args.ids]
    known = [value for value in decoded if value is not None]
    if len(known) != len(decoded):
        raise NotFound("No such message in this inbox.")
    return known


def _position(head: Head) -> dict[str, Any]:
    return {"offset": head.offset, "counts": counts_out(unread=head.unread, unseen=head.unseen)}
