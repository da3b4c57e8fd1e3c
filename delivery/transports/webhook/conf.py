"""Settings of the webhook transport."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_network


def _user_agent() -> str:
    try:
        return f"Carillon/{version('carillon')}"
    except PackageNotFoundError:
        return "Carillon"


USER_AGENT = _user_agent()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookConf:
    """`allow_networks` (CIDR) are exempt from the address guard; `ca_file` adds certificate authorities (PEM)."""

    allow_networks: tuple[str, ...] = ()
    ca_file: str | None = None
    user_agent: str = USER_AGENT
    timeout_seconds: float = 20.0
    connect_timeout_seconds: float = 5.0
    dns_timeout_seconds: float = 3.0
    # Below the 5 s after which the most common servers close an idle connection themselves.
    keepalive_seconds: float = 4.0
    max_response_bytes: int = 64 * 1024
    max_in_flight: int = 100

    def __post_init__(self) -> None:
        for network in self.allow_networks:
            ip_network(network)
        if not 0 < self.dns_timeout_seconds <= self.timeout_seconds:
            raise ValueError("dns_timeout_seconds must be above 0 and not above timeout_seconds")
        if not 0 < self.connect_timeout_seconds <= self.timeout_seconds:
            raise ValueError("connect_timeout_seconds must be above 0 and not above timeout_seconds")
        if self.keepalive_seconds < 0 or self.max_response_bytes < 4096 or self.max_in_flight < 1:
            raise ValueError("keepalive_seconds >= 0, max_response_bytes >= 4096 and max_in_flight >= 1 are needed")
        if not self.user_agent.isascii() or not self.user_agent.isprintable():
            raise ValueError("user_agent must be printable ASCII")
