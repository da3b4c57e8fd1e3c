"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.dkim import DkimKey

__all__ = ["Attempt", "Delivery", "DkimKey"]
