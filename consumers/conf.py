"""Settings of `consumers`: the limits of the inbox socket."""

from dataclasses import dataclass, fields
from typing import cast

from django.conf import settings

from notifications.inbox.attendance import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumersConf:
    """Every limit a client can meet. Nonsense is refused here, by the name of the field."""

    connect_timeout_seconds: float = 10.0
    ping_seconds: float = 25.0
    send_timeout_seconds: float = 10.0
    tick_seconds: float = 1.0
    drain_timeout_seconds: float = 5.0
    catch_up_retry_seconds: float = 1.0
    hint_patience_seconds: float = 1.0
    presence_refresh_seconds: float = 5.0
    last_seen_seconds: float = 300.0
    max_frame_bytes: int = 64 * 1024
    max_queued_frames: int = 256
    max_early_events: int = 64
    max_sockets_per_recipient: int = 10
    max_commands_per_second: int = 20
    max_connects_at_once: int = 30
    max_connects_per_second: float = 1.0
    database_connections: int = 4

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} must be more than 0, not {getattr(self, field.name)}")

    @property
    def presence(self) -> Times:
        """When to tell who is connected."""
        return Times(
            tick_seconds=self.tick_seconds,
            refresh_seconds=self.presence_refresh_seconds,
            last_seen_seconds=self.last_seen_seconds,
        )


_DEFAULT = ConsumersConf()


def conf() -> ConsumersConf:
    """The settings in force."""
    return cast(ConsumersConf, getattr(settings, "CARILLON_CONSUMERS", _DEFAULT))
