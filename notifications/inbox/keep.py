"""How much of an inbox is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Messages and log, each by age and by number. Nonsense is refused here."""

    message_days: int = 365
    messages: int = 10_000
    log_days: int = 30
    changes: int = 10_000

    def __post_init__(self) -> None:
        for name in ("message_days", "messages", "log_days", "changes"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                raise ValueError(f"{name} must be from 1 to 1000000, not {getattr(self, name)}")
