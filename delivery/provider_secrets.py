"""A provider's secrets as they lie in the database: one sealed JSON object, or nothing."""

from collections.abc import Mapping

import msgspec

from notifications.sealing import seal, unseal


def seal_secrets(secrets: Mapping[str, str]) -> str:
    """What `Provider.sealed_secrets` holds."""
    return seal(msgspec.json.encode(dict(secrets)).decode()) if secrets else ""


def open_secrets(sealed: str) -> dict[str, str]:
    """The secrets by name. Raises `SealBroken`."""
    return msgspec.json.decode(unseal(sealed), type=dict[str, str]) if sealed else {}
