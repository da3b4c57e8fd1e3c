"""Names in paths. What cannot be the name of anything is answered like what does not exist."""

from typing import Any, Final
from uuid import UUID

from notifications import ids, texts
from notifications.errors import Fault, Invalid, NotFound


def existing_recipient(text: str) -> str:
    """A recipient's id in a path that must exist. Raises `NotFound`."""
    try:
        return texts.check_external_id(text)
    except ValueError:
        raise NotFound from None


def new_recipient(text: str) -> str:
    """A recipient's id in a path that may create it. Raises `Invalid`."""
    try:
        return texts.check_external_id(text)
    except ValueError as error:
        raise Invalid([Fault("/id", str(error))]) from error


def existing_topic(text: str) -> str:
    """A topic's key in a path that must exist. Raises `NotFound`."""
    try:
        return texts.check_key(text)
    except ValueError:
        raise NotFound from None


def new_topic(text: str) -> str:
    """A topic's key in a path that may create it. Raises `Invalid`."""
    try:
        return texts.check_key(text)
    except ValueError as error:
        raise Invalid([Fault("/key", str(error))]) from error


def existing_key(text: str) -> str:
    """A key in a path that must exist. Raises `NotFound`."""
    return existing_topic(text)


def new_key(text: str) -> str:
    """A key in a path that may create what it names. Raises `Invalid`."""
    return new_topic(text)


def version_number(text: str) -> int:
    """The number of a version in a path. Raises `NotFound`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


def row(prefix: ids.Prefix, text: str) -> UUID:
    """A prefixed id in a path. Raises `NotFound`."""
    found = ids.decode(prefix, text)
    if found is None:
        raise NotFound
    return found


DESCRIPTIONS: Final = {
    "recipient_id": ("The caller's own id of the recipient.", "u1"),
    "topic_key": ("The topic's key.", "team-1"),
    "endpoint_id": ("The endpoint's id.", "end_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "notification_id": ("The notification's id.", "ntf_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "delivery_id": ("The delivery's id.", "dlv_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "message_id": ("The message's id.", "msg_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "event_id": ("The event's id.", "evt_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "event_endpoint_key": ("Your own name for the event endpoint.", "support"),
    "suppression_id": ("The suppression's id.", "sup_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "schedule_key": ("Your own name for the schedule.", "monday-report"),
    "api_key_id": ("The key's id, which is not the key.", "key_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "callback_id": ("The callback source's id.", "cbk_06dj3k5w8m7q2v4x6y8z0a2c4e"),
    "workflow_key": ("The workflow's key.", "comment"),
    "template_key": ("The template's key.", "order-shipped"),
    "version_number": ("The version's number.", "3"),
    "action": ("What to do with it.", "read"),
}
"""Path parameter -> (description, example), for the OpenAPI document."""

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "action": {"enum": ["seen", "read", "unread", "archive", "unarchive", "acknowledge"]}
}
"""Path parameter -> what more its schema says."""
