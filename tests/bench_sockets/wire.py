"""RFC 6455 as far as a client that measures needs it: frames in and out, without an object for each."""

import base64
import os
import re
from collections.abc import Iterator
from typing import Final

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_SHORT: Final = 126
_LONG: Final = 127
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")


def upgrade_request(host: str, path: str) -> bytes:
    """The opening handshake, as browsers send it but for their longer headers."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def upgraded(head: bytes) -> bool:
    """Whether the answer says 101."""
    found = _STATUS.match(head)
    return found is not None and found[1] == b"101"


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One frame from a client; the mask is zero, which every server has to undo like any other."""
    size = len(payload)
    if size < _SHORT:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | _SHORT)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | _LONG)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def split_frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The whole server frames in `data`: opcode, begin and end of the payload. What follows the last end is incomplete."""
    at, size = 0, len(data)
    while size - at >= 2:
        length, start = data[at + 1], at + 2
        if length == _SHORT:
            length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif length == _LONG:
            length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        end = start + length
        if end > size:
            return
        yield data[at] & 15, start, end
        at = end
