"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.feedback import BounceMailbox, CallbackSource, DeliveryEvent

__all__ = ["Attempt", "BounceMailbox", "CallbackSource", "Delivery", "DeliveryEvent"]
