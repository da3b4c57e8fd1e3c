"""Mails as mail servers return them, in our own words; `@DELIVERY@` stands for the delivery's id."""

from pathlib import Path
from uuid import UUID

from notifications import ids

FOLDER = Path(__file__).parent


def sample(name: str, delivery_id: UUID, **changes: str) -> bytes:
    """The mail about this delivery; `changes` replace an address or a Message-ID in it."""
    text = (FOLDER / f"{name}.eml").read_text().replace("@DELIVERY@", ids.encode("dlv", delivery_id))
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text.replace("\n", "\r\n").encode()
