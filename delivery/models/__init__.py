"""The rows of `delivery`."""

from delivery.models.deliveries import Attempt, Delivery
from delivery.models.dkim import DkimKey
from delivery.models.feedback import BounceMailbox, CallbackSource, DeliveryEvent
from delivery.models.isolation import EndpointTrouble, SendLimit
from delivery.models.operations import Heartbeat, LawCheck
from delivery.models.providers import Provider
from delivery.models.runs import Run
from delivery.models.status_events import EventEndpoint, StatusDispatch, StatusEvent

__all__ = [
    "Attempt",
    "BounceMailbox",
    "CallbackSource",
    "Delivery",
    "DeliveryEvent",
    "DkimKey",
    "EndpointTrouble",
    "EventEndpoint",
    "Heartbeat",
    "LawCheck",
    "Provider",
    "Run",
    "SendLimit",
    "StatusDispatch",
    "StatusEvent",
]
