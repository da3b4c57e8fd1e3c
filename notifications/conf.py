"""Settings of `notifications`: limits of what is accepted, and how intake groups its commits."""

from dataclasses import dataclass, field

from django.conf import settings

from notifications.inbox.keep import Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsConf:
    """Built once by `deploy/config.py`. Nonsense is refused here, by the name of the field."""

    channels: frozenset[str] = frozenset({"in_app", "email", "webhook"})
    max_recipients: int = 1000
    max_bulk: int = 1000
    max_send_ahead_days: int = 400
    intake_writers: int = 2
    intake_max_group: int = 200
    intake_max_waiting: int = 20_000
    intake_timeout_seconds: float = 1.5
    idempotency_keep_hours: int = 24
    token_lifetime_seconds: int = 3600
    key_cache_seconds: float = 5.0
    executor_threads: int = 8
    inbox_keep: Keep = field(default_factory=Keep)

    def __post_init__(self) -> None:
        for name in ("max_recipients", "max_bulk", "intake_writers", "intake_max_group", "executor_threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


def conf() -> NotificationsConf:
    """The settings in force."""
    loaded: NotificationsConf = settings.CARILLON_NOTIFICATIONS
    return loaded
