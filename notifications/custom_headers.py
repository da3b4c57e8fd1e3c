"""Headers that an endpoint's owner adds to the webhooks sent there: which are let through. Pure.

What the request means, how it travels and who sends it stays ours: framing, hop-by-hop, `Host`, cookies, forwarding, `webhook-*`;
and what clouds' metadata services take for consent is refused whatever the address guard says.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from notifications.sealing import seal, unseal

MOST: Final = 20
LONGEST_NAME: Final = 64
LONGEST_VALUE: Final = 2048
LONGEST_TOGETHER: Final = 8192
MASK: Final = "********"
"""Stands for a value where headers are shown."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, 5.6.2
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?\Z")  # RFC 9110, 5.5, without obs-text and tabs
_RESERVED: Final = frozenset(
    {
        "accept-encoding", "alt-used", "connection", "cookie", "cookie2", "date", "expect", "forwarded", "host", "http2-settings",
        "keep-alive", "max-forwards", "metadata", "metadata-flavor", "origin", "priority", "range", "referer", "set-cookie",
        "set-cookie2", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-google-metadata-request",
        "x-http-method", "x-http-method-override", "x-metadata-token", "x-method-override", "x-real-ip",
    }
)  # fmt: skip
_RESERVED_BEGINNINGS: Final = ("webhook-", "content-", "proxy-", "sec-", "if-", "x-forwarded-", "x-aws-ec2-metadata-")


def check_name(name: str) -> str:
    """The name in lower case. Raises ValueError."""
    lower = name.lower()
    if len(name) > LONGEST_NAME or not _TOKEN.match(name):
        raise ValueError(f"Must be a header name (RFC 9110) of at most {LONGEST_NAME} characters.")
    if lower in _RESERVED or lower.startswith(_RESERVED_BEGINNINGS):
        raise ValueError("This header cannot be set.")
    return lower


def check_value(value: str) -> str:
    """One header's value. Raises ValueError."""
    if len(value) > LONGEST_VALUE or not _VALUE.match(value):
        raise ValueError(f"Must be 1 to {LONGEST_VALUE} printable ASCII characters without space at either end.")
    return value


def check_together(headers: Mapping[str, str]) -> None:
    """All headers of one endpoint. Raises ValueError."""
    if len(headers) > MOST:
        raise ValueError(f"At most {MOST} headers.")
    if sum(len(name) + len(value) for name, value in headers.items()) > LONGEST_TOGETHER:
        raise ValueError(f"Names and values together have at most {LONGEST_TOGETHER} characters.")


def seal_headers(headers: Mapping[str, str]) -> str:
    """For storing: values often are credentials. Without any, nothing."""
    return seal(json.dumps(dict(headers))) if headers else ""


def unseal_headers(sealed: str) -> dict[str, str]:
    """What was sealed; a fresh dict. Raises `SealBroken`."""
    opened: dict[str, str] = json.loads(unseal(sealed)) if sealed else {}
    return opened
