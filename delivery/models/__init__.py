"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.isolation import EndpointTrouble, SendLimit

__all__ = ["Attempt", "Delivery", "EndpointTrouble", "SendLimit"]
