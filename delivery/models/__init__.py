"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.providers import Provider

__all__ = ["Attempt", "Delivery", "Provider"]
