"""Why the server closes a socket; the code tells the client whether and how to come back."""

from enum import IntEnum
from typing import Final


class CloseCode(IntEnum):
    """4000 to 4999 are the application's own (RFC 6455, section 7.4.2)."""

    TOO_SLOW = 4008
    NOT_JSON = 4400
    BAD_TOKEN = 4401
    BAD_ORIGIN = 4403
    NO_CONNECT = 4408
    TOO_MANY_SOCKETS = 4409
    FRAME_TOO_LARGE = 4413
    TOO_MANY_COMMANDS = 4429
    RESUME = 4503


REASONS: Final[dict[CloseCode, str]] = {
    CloseCode.TOO_SLOW: "client too slow, resume",
    CloseCode.NOT_JSON: "frames are JSON objects in text",
    CloseCode.BAD_TOKEN: "token invalid, expired or revoked, get a new one",
    CloseCode.BAD_ORIGIN: "origin refused",
    CloseCode.NO_CONNECT: "no connect frame in time",
    CloseCode.TOO_MANY_SOCKETS: "too many connections of this recipient",
    CloseCode.FRAME_TOO_LARGE: "frame too large",
    CloseCode.TOO_MANY_COMMANDS: "too many commands",
    CloseCode.RESUME: "resume elsewhere",
}
