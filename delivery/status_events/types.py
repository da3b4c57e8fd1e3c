"""The types of status events, each with what it says. Pure."""

from collections.abc import Mapping
from typing import Final

TYPES: Final[Mapping[str, str]] = {
    "notification.routed": "Its recipients are expanded; every delivery exists.",
    "notification.cancelled": "It was cancelled before it was routed.",
    "notification.expired": "Its `expires_at` passed before it was routed.",
    "notification.failed": "It could not be routed.",
    "delivery.sent": "The provider or receiver accepted it.",
    "delivery.delivered": "It has arrived: stored in the inbox, or confirmed by the provider.",
    "delivery.failed": "It will not arrive; `reason` says why.",
    "delivery.suppressed": "It was not sent because the address must not be written to.",
    "delivery.digested": "It became part of a digest.",
    "delivery.expired": "Its `expires_at` passed before it could be sent.",
    "delivery.cancelled": "It was cancelled before it was sent.",
    "endpoint.disabled": "A recipient's endpoint receives nothing any more; `reason` says why.",
}
