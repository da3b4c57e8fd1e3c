"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.status_events import EventEndpoint, StatusDispatch, StatusEvent

__all__ = ["Attempt", "Delivery", "EventEndpoint", "StatusDispatch", "StatusEvent"]
