"""The connect command: from a token to a socket that is told everything from its last offset on."""

from consumers import frames
from consumers.codes import CloseCode
from consumers.connection import Connection
from consumers.frames import Command, ConnectIn, Since
from consumers.hub import Hub
from consumers.log import LOG_FAILED
from notifications.clock import utc_now
from notifications.inbox.reads import Head
from notifications.inbox.recovery import is_kept, resume_offset
from notifications.inbox.shapes import counts_out
from notifications.tokens import LEEWAY_SECONDS, BadToken, RecipientToken, read_token


async def connect(hub: Hub, connection: Connection, command: Command) -> None:
    """Answer the connect command, or close the socket with the code that says why not.

    Order matters: the layer's group is joined before the head is read, so a change is either before the head
    or arrives live, or both; the connection drops what it has.
    """
    args: ConnectIn = command.args
    try:
        token = read_token(args.token)
    except BadToken:
        connection.close(CloseCode.BAD_TOKEN)
        return
    if not await hub.enter(connection, token):
        connection.close(CloseCode.TOO_MANY_SOCKETS)
        return
    try:
        head = await hub.log.head(token.recipient_pk)
        if head is None or not head.admits(token.issued_at):
            connection.close(CloseCode.BAD_TOKEN)
            return
        start = await _start(hub, token, args.since, head)
    except LOG_FAILED:
        connection.close(CloseCode.RESUME)
        return
    _begin(hub, connection, command, token, head, start)


async def _start(hub: Hub, token: RecipientToken, since: Since | None, head: Head) -> int | None:
    """The offset after which to replay; None when the client has nothing, or nothing that can be completed."""
    if since is None:
        return None
    offset = resume_offset(since.epoch, since.offset, head)
    if offset is None or offset == head.offset:
        return offset
    return offset if is_kept(offset, head, await hub.log.oldest(token.recipient_pk)) else None


def _begin(
    hub: Hub, connection: Connection, command: Command, token: RecipientToken, head: Head, start: int | None
) -> None:
    valid_seconds = (token.expires_at - utc_now()).total_seconds() + LEEWAY_SECONDS
    answer = {
        "recipient": token.external_id,
        "epoch": str(head.epoch),
        "offset": head.offset,
        "recovered": start is not None,
        "counts": counts_out(unread=head.unread, unseen=head.unseen),
        "ping": hub.conf.ping_seconds,
    }
    connection.push(frames.reply(command.id, "connect", answer))
    connection.begin(
        epoch=str(head.epoch),
        offset=head.offset if start is None else start,
        head=head.offset,
        valid_seconds=valid_seconds,
    )
    hub.attendance.enter(token.recipient_pk)
