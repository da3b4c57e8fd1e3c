"""What an attempt's record says about its request: a few facts, from which the whole request can be shown again.

Kept is what could change or cannot be worked out later: `{"url", "headers", "signatures", "body_bytes", "body_sha256"}`, around
250 bytes. The body itself says what the notification says, so only its hash is kept; neither values of an endpoint's own
headers nor signatures are, and of the URL's query only the names.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

MASK: Final = "********"
_SHORTEST_HIDDEN: Final = 4  # a shorter value is no secret, and hiding it would garble the text


def record_request(*, url: str, headers: Iterable[str], schemes: Iterable[str], body: bytes) -> dict[str, Any]:
    """To be stored; `headers` are the names of those that are the endpoint's own."""
    return {
        "url": mask_url(url),
        "headers": list(headers),
        "signatures": list(schemes),
        "body_bytes": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


def show_request(record: Mapping[str, Any], *, delivery_id: str, body: bytes | None) -> dict[str, Any]:
    """The request as it went out, with masks. `body` is what the delivery says now; it is shown if it was that then."""
    same = body is not None and hashlib.sha256(body).hexdigest() == record["body_sha256"]
    return {
        "method": "POST",
        "url": record["url"],
        "headers": {
            **dict.fromkeys(record["headers"], MASK),
            "content-type": "application/json",
            "webhook-id": delivery_id,
            "webhook-signature": " ".join(f"{scheme},{MASK}" for scheme in record["signatures"]),
        },
        "body_bytes": record["body_bytes"],
        "body_sha256": record["body_sha256"],
        "body": body.decode() if same and body is not None else None,
    }


def hide_values(text: str, headers: Mapping[str, str]) -> str:
    """What a receiver said, without the endpoint's own header values: some echo what they are sent."""
    for value in headers.values():
        for secret in (value, value.rpartition(" ")[2]):  # with the scheme before credentials, and alone
            if len(secret) >= _SHORTEST_HIDDEN:
                text = text.replace(secret, MASK)
    return text


@lru_cache(maxsize=4096)
def mask_url(url: str) -> str:
    """The URL with the values of its query hidden, for tokens travel there."""
    place, mark, query = url.partition("?")
    fields = (field.partition("=") for field in query.split("&"))
    return place + mark + "&".join(name + is_ + MASK if is_ else MASK for name, is_, _ in fields) if query else url
