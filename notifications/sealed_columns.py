"""Which columns hold sealed texts, so that keys can be rotated and a wrong key is noticed. Each model names its own."""

from typing import Final

SEALED_COLUMNS: Final[list[tuple[str, str]]] = []
"""`app.Model` and the field: a text that is empty, sealed, or (idempotency answers) plain."""


def register_sealed(model: str, field: str) -> None:
    """Say that this text column holds what `seal` gives."""
    if (model, field) not in SEALED_COLUMNS:
        SEALED_COLUMNS.append((model, field))
