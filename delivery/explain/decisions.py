"""The shape of one decision. Pure."""

from datetime import datetime
from typing import Any

from delivery.reasons import Actor
from notifications.texts import optional_time


def decision(
    code: str, at: datetime | None, summary: str, *, actor: Actor = "nobody", detail: Any = None
) -> dict[str, Any]:
    """One decision as it goes out."""
    return {"code": code, "at": optional_time(at), "summary": summary, "actor": actor, "detail": detail or {}}
