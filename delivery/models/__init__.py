"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery

__all__ = ["Attempt", "Delivery"]
