"""An answer as it goes out, for the few hot paths that need no response object: the handler adds what every answer carries."""

from typing import NamedTuple

from notifications.intake.requests import Answer


class PlainAnswer(NamedTuple):
    """Header names in lower case, the length left out."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    status: int = 200


JSON = (b"content-type", b"application/json")


def plain(answer: Answer) -> PlainAnswer:
    """An answer that could be stored, as it goes out."""
    headers = [
        JSON,
        *((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in answer.headers.items()),
    ]
    if answer.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    return PlainAnswer(headers, answer.body, answer.status)
