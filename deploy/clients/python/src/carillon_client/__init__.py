"""Typed client of Carillon's API: `Client` and `AsyncClient`, and `Webhook` for what Carillon sends."""

from .client import AsyncClient, Client
from .errors import (
    ApiError,
    BadRequest,
    CarillonError,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InFlight,
    NoAnswer,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    ServerError,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    ValidationError,
)
from .retries import RetryPolicy
from .version import __version__
from .webhooks import Webhook, WebhookEvent, WebhookVerificationError

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadRequest",
    "CarillonError",
    "Client",
    "Conflict",
    "Forbidden",
    "IdempotencyKeyReused",
    "InFlight",
    "NoAnswer",
    "NotFound",
    "PayloadTooLarge",
    "RateLimited",
    "RetryPolicy",
    "ServerError",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "ValidationError",
    "Webhook",
    "WebhookEvent",
    "WebhookVerificationError",
    "__version__",
]
