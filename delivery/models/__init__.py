"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.operations import Heartbeat, LawCheck

__all__ = ["Attempt", "Delivery", "Heartbeat", "LawCheck"]
