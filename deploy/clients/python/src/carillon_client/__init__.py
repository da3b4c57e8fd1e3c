"""Typed client of Carillon's API: `Client` and `AsyncClient`, `Inbox` and `AsyncInbox`, and `Webhook` for what Carillon sends."""

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
from .inbox import AsyncInbox, Inbox
from .retries import RetryPolicy
from .version import __version__
from .webhooks import Webhook, WebhookEvent, WebhookVerificationError

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncInbox",
    "BadRequest",
    "CarillonError",
    "Client",
    "Conflict",
    "Forbidden",
    "IdempotencyKeyReused",
    "InFlight",
    "Inbox",
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
