"""The admin site; importing this package registers every model, one module per group."""

from deploy.admin import (
    accounts,
    beat,
    deliveries,
    dkim,
    feedback,
    idempotency,
    inbox,
    isolation,
    notifications,
    operations,
    people,
    preferences,
    projects,
    providers,
    status_events,
    workflows,
)

__all__ = [
    "accounts",
    "beat",
    "deliveries",
    "dkim",
    "feedback",
    "idempotency",
    "inbox",
    "isolation",
    "notifications",
    "operations",
    "people",
    "preferences",
    "projects",
    "providers",
    "status_events",
    "workflows",
]
