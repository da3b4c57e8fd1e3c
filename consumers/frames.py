"""Frames of the inbox socket: what may come in, and the texts that go out (as UTF-8; a change's is `hints.frame`)."""

from typing import Annotated, Any, Final, Literal

import msgspec

Id = int | str
_encoder: Final = msgspec.json.Encoder()

MessageId = Annotated[str, msgspec.Meta(max_length=40)]


class Since(msgspec.Struct, forbid_unknown_fields=True):
    """The last thing this client has: taken as it is, for what can't be resumed is answered, not refused."""

    epoch: Any = None
    offset: Any = None


class ConnectIn(msgspec.Struct, forbid_unknown_fields=True):
    """First command of every socket."""

    token: str
    since: Since | None = None


class IdsIn(msgspec.Struct, forbid_unknown_fields=True):
    """Which messages a command is about."""

    ids: Annotated[list[MessageId], msgspec.Meta(min_length=1, max_length=100)]


class AllIn(msgspec.Struct, forbid_unknown_fields=True):
    """A command about all messages takes no arguments."""


class ListIn(msgspec.Struct, forbid_unknown_fields=True):
    """A page of messages, newest first; `before` is the `next` of the page before."""

    status: Literal["all", "unread", "unseen", "archived"] = "all"
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


COMMANDS: Final[dict[str, type[msgspec.Struct]]] = {
    "connect": ConnectIn,
    "list": ListIn,
    "seen": IdsIn,
    "read": IdsIn,
    "unread": IdsIn,
    "archive": IdsIn,
    "unarchive": IdsIn,
    "acknowledge": IdsIn,
    "delete": IdsIn,
    "read_all": AllIn,
    "seen_all": AllIn,
}


class NotJson(Exception):
    """Not a JSON object: this is no client of ours."""


class BadCommand(Exception):
    """A JSON object that is no command; `code` and `title` tell the client why."""

    def __init__(self, command_id: Id | None, code: str, title: str) -> None:
        super().__init__(title)
        self.command_id = command_id
        self.code = code
        self.title = title


class Command(msgspec.Struct, frozen=True):
    """One command as it came in, its arguments checked."""

    id: Id
    name: str
    args: Any


def parse_command(text: str) -> Command:
    """Read one frame: `{"id": ..., "<name>": {...}}`. Raises `NotJson` or `BadCommand`."""
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotJson from error
    if not isinstance(frame, dict):
        raise NotJson
    command_id = frame.pop("id", None)
    if isinstance(command_id, bool) or not isinstance(command_id, int | str) or len(str(command_id)) > 64:
        raise BadCommand(None, "bad_command", "A command has an id: an integer or a string up to 64 characters.")
    if len(frame) != 1:
        raise BadCommand(command_id, "bad_command", "A frame holds an id and exactly one command.")
    [(name, raw)] = frame.items()
    kind = COMMANDS.get(name)
    if kind is None:
        raise BadCommand(command_id, "unknown_command", "There is no such command.")
    try:
        return Command(command_id, name, msgspec.convert(raw, kind))
    except msgspec.ValidationError as error:
        raise BadCommand(command_id, "invalid", str(error)) from error


def reply(command_id: Id, name: str, value: Any) -> bytes:
    """The answer to one command: `{"id": ..., "<name>": value}`."""
    return _encoder.encode({"id": command_id, name: value})


def error(command_id: Id | None, code: str, title: str) -> bytes:
    """The answer to a command that could not be done."""
    return _encoder.encode({"id": command_id, "error": {"code": code, "title": title}})


def position(offset: int) -> bytes:
    """A push that changes nothing: the last offset sent on this socket, so that a client can see it missed none."""
    return b'{"event":"position","offset":%d}' % offset
