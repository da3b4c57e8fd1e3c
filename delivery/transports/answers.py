"""What a stranger's server said, made fit to be stored and shown."""

import re

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean_text(said: str | bytes, *, limit_bytes: int = 2048) -> str:
    """At most `limit_bytes` of it, without what PostgreSQL cannot store (NUL, surrogates) or a terminal would obey."""
    if isinstance(said, bytes):
        said = said[:limit_bytes].decode("utf-8", "replace")
    text = _UNSTORABLE.sub("", said[:limit_bytes])
    encoded = text.encode()
    return text if len(encoded) <= limit_bytes else encoded[:limit_bytes].decode("utf-8", "ignore")
