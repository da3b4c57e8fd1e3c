"""The AsyncAPI 3.0 document of the inbox socket, made from the frames' own definitions."""

from typing import Any, Final, get_args

import msgspec

from consumers.codes import REASONS
from consumers.frames import COMMANDS
from consumers.socket import PATH
from notifications.events import InboxEventName

_REF: Final = "#/components/schemas/{name}"
_OFFSET: Final = {"type": "integer", "minimum": 0, "description": "Grows by one with every change of the inbox."}
_ID: Final = {"type": ["integer", "string"], "description": "Chosen by the client, given back in the answer."}
_COUNTS: Final = {
    "type": "object",
    "description": "Of messages that are not archived.",
    "properties": {"unread": {"type": "integer"}, "unseen": {"type": "integer"}},
    "required": ["unread", "unseen"],
}
_TIME: Final = {"type": ["string", "null"], "format": "date-time"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_MESSAGE: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "offset": _OFFSET,
        "title": {"type": "string"},
        "body": {"type": "string", "description": "Markdown."},
        "action_url": _TEXT_OR_NULL,
        "category": _TEXT_OR_NULL,
        "actor": _TEXT_OR_NULL,
        "data": {"type": "object"},
        "created_at": {"type": "string", "format": "date-time"},
        "seen_at": _TIME,
        "read_at": _TIME,
        "archived_at": _TIME,
        "acknowledged_at": _TIME,
    },
}
_EPOCH_EXAMPLE: Final = "0f4c2d0e-6b7a-4e0c-9d3f-2a1b5c8e7d90"
_COUNTS_EXAMPLE: Final = {"unread": 3, "unseen": 1}
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "connect": {"id": 1, "connect": {"token": "eyJ...", "since": {"epoch": _EPOCH_EXAMPLE, "offset": 41}}},
    "connected": {
        "id": 1,
        "connect": {
            "recipient": "u1",
            "epoch": _EPOCH_EXAMPLE,
            "offset": 57,
            "recovered": True,
            "counts": _COUNTS_EXAMPLE,
            "ping": 25,
        },
    },
    "read": {"id": 2, "read": {"ids": ["msg_06dj3k5w8m7q2v4x6y8z0a2c4e"]}},
    "read_all": {"id": 3, "read_all": {}},
    "list": {"id": 4, "list": {"status": "unread", "limit": 20}},
    "done": {"id": 2, "ok": {"offset": 58, "counts": {"unread": 2, "unseen": 1}}},
    "refused": {"id": 5, "error": {"code": "not_found", "title": "No such message in this inbox."}},
    "position": {"event": "position", "offset": 58},
}
_ABOUT: Final = """\
JSON text frames. The client speaks first, within 10 seconds, with `connect`. A command has an `id` and gets one answer
with the same `id`; a push has none. With `since` (the `epoch` and the last `offset` a client has) exactly the missed
changes follow the answer, each once and in order. `recovered: false` means that the client's state can't be completed,
or that it gave none: load with `list`; everything after the answer's `offset` is pushed.

`message.deleted` and `message.expired` tell that a message has left the inbox: its `id` and times are all that is left of it.
A client that was away gets one of them for each of that message's changes.

A socket counts as a device for `GET /v1/recipients/{id}/presence` from the answer to `connect` until it is closed. It is
closed with 4401 when its token ends, when the recipient's tokens are revoked and when the recipient is erased, within about a
second; a client that gets a new token connects again with `since` and misses nothing.

"""


def build_document(*, version: str) -> dict[str, Any]:
    """The document as JSON-ready values; `version` is the product's."""
    messages = {**_commands(), **_answers(), **_pushes()}
    for name, payload in _EXAMPLES.items():
        messages[name]["examples"] = [{"payload": payload}]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Carillon inbox socket", "version": version, "description": _ABOUT + _close_codes()},
        "channels": {
            "inbox": {
                "address": PATH,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "command": _operation("receive", _commands()),
            "answer": _operation("send", _answers()),
            "push": _operation("send", _pushes()),
        },
        "components": {"messages": messages, "schemas": {**_arguments(), "Message": _MESSAGE, "Counts": _COUNTS}},
    }


def _arguments() -> dict[str, Any]:
    kinds = list(dict.fromkeys(COMMANDS.values()))
    return msgspec.json.schema_components(kinds, ref_template=_REF)[1]


def _commands() -> dict[str, Any]:
    return {
        name: _message(name, {"id": _ID, name: {"$ref": _REF.format(name=kind.__name__)}})
        for name, kind in COMMANDS.items()
    }


def _answers() -> dict[str, Any]:
    counts, message = {"$ref": _REF.format(name="Counts")}, {"$ref": _REF.format(name="Message")}
    connected = {
        "recipient": {"type": "string"},
        "epoch": {"type": "string"},
        "offset": _OFFSET,
        "recovered": {"type": "boolean"},
        "counts": counts,
        "ping": {"type": "number", "description": "Seconds between position frames."},
    }
    done = {"offset": _OFFSET, "counts": counts}
    page = {"messages": {"type": "array", "items": message}, "next": {"type": ["integer", "null"]}}
    fault = {"code": {"type": "string"}, "title": {"type": "string"}}
    return {
        "connected": _message("Answer to connect", {"id": _ID, "connect": _object(connected)}),
        "done": _message("Answer to a change", {"id": _ID, "ok": _object(done)}),
        "page": _message("Answer to list", {"id": _ID, "ok": _object(done | page)}),
        "refused": _message(
            "A command that was not done", {"id": {"type": ["integer", "string", "null"]}, "error": _object(fault)}
        ),
    }


def _pushes() -> dict[str, Any]:
    change = {
        "event": {"enum": list(get_args(InboxEventName))},
        "offset": _OFFSET,
        "message": {"$ref": _REF.format(name="Message")},
        "counts": {"$ref": _REF.format(name="Counts")},
    }
    position = {"event": {"const": "position"}, "offset": _OFFSET}
    return {
        "change": _message("One change of the inbox", change),
        "position": _message("The last offset sent on this socket, every ping", position),
    }


def _message(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "contentType": "application/json", "payload": _object(properties)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _operation(action: str, messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/inbox"},
        "messages": [{"$ref": f"#/channels/inbox/messages/{name}"} for name in messages],
    }


def _close_codes() -> str:
    return "Close codes:\n\n" + "\n".join(f"- {code.value}: {reason}" for code, reason in REASONS.items())
