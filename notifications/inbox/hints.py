"""Changes as they travel to many at once: each as the text its sockets are sent, written once, by whoever publishes it.

A process with ten thousand sockets then neither reads nor writes any JSON for a broadcast. `unpacked` gives back the event for
those who want to look into it.
"""

from typing import Any, Final, cast
from uuid import UUID

import msgspec

from notifications.events import LAYER_MESSAGE_TYPE, Hint, LiveEvent, access_hint, is_change

PackedHint = tuple[str, str, int, bytes]
"""Recipient, epoch, offset, frame; the frame of an access hint is empty."""

_encoder: Final = msgspec.json.Encoder()


def frame(event: str, offset: int, message: dict[str, Any], counts: dict[str, int]) -> bytes:
    """One change of the inbox as clients are told of it."""
    return _encoder.encode({"event": event, "offset": offset, "message": message, "counts": counts})


def packed(hint: Hint) -> PackedHint:
    """`hint` as it travels among many."""
    if not is_change(hint):
        return hint["recipient"], "", 0, b""
    offset = hint["offset"]
    text = frame(hint["event"], offset, hint["message"], hint["counts"])
    return hint["recipient"], hint["epoch"], offset, text


def unpacked(hint: PackedHint) -> Hint:
    """The event that was packed."""
    recipient, epoch, _, text = hint
    if not text:
        return access_hint(UUID(hex=recipient))
    told = {"type": LAYER_MESSAGE_TYPE, "recipient": recipient, "epoch": epoch, **msgspec.json.decode(text)}
    return cast(LiveEvent, told)
