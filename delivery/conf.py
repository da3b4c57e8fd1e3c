"""Settings of `delivery`: leases, batch sizes, retry schedules and the transports in use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from delivery.breaker import BreakerConf

_WEBHOOK_RETRY_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
_EMAIL_RETRY_SECONDS = (30.0, 300.0, 900.0, 3600.0, 7200.0, 14400.0, 28800.0, 43200.0, 86400.0)
RETRY_SECONDS: Final[Mapping[str, tuple[float, ...]]] = {
    "webhook": _WEBHOOK_RETRY_SECONDS,
    "email": _EMAIL_RETRY_SECONDS,
}
"""Unless the operator says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """Which class serves a channel, and its own configuration object."""

    path: str
    conf: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConf:
    """Built once by `deploy/config.py`."""

    transports: Mapping[str, TransportSettings] = field(default_factory=dict)
    retry_seconds: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: RETRY_SECONDS)
    retry_jitter: float = 0.2
    provider_pause_seconds: float = 30.0
    provider_look_seconds: float = 2.0
    lease_seconds: float = 60.0
    attempt_timeout_seconds: float = 25.0
    max_claims: int = 5
    claim_window: int = 256
    route_batch: int = 100
    route_chunk: int = 1000
    run_batch: int = 200
    send_batch: int = 256
    in_app_batch: int = 200
    sweep_seconds: float = 2.0
    drain_seconds: float = 12.0
    finish_linger_seconds: float = 0.025
    """How long a finish waits for others, so that one commit serves all of them."""
    event_retry_seconds: tuple[float, ...] = _WEBHOOK_RETRY_SECONDS
    event_in_flight: int = 64
    event_in_flight_per_endpoint: int = 4
    event_retention_days: int = 14
    history_days: int = 90  # 0: for ever
    endpoint_in_flight: int = 10
    breaker: BreakerConf = field(default_factory=BreakerConf)
    journal_folder: Path | None = None
    """Where outcomes outlive their process; None: nowhere."""
    disable_after_failures: int = 10
    disable_after_seconds: float = 432_000.0

    @property
    def begin_within_seconds(self) -> float:
        """How long after its claim an attempt may begin and still end within the lease."""
        return (self.lease_seconds - self.attempt_timeout_seconds) / 2

    def __post_init__(self) -> None:
        if self.lease_seconds <= self.attempt_timeout_seconds:
            raise ValueError("lease_seconds must be longer than attempt_timeout_seconds, or a slow attempt is repeated")
        if self.endpoint_in_flight < 1 or self.disable_after_failures < 1 or self.disable_after_seconds < 0:
            raise ValueError("endpoint_in_flight and disable_after_failures must be at least 1")


def conf() -> DeliveryConf:
    """The settings in force."""
    loaded: DeliveryConf = settings.CARILLON_DELIVERY
    return loaded
