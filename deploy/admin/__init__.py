"""The admin site; importing this package registers every model, one module per group."""

from deploy.admin import (
    accounts,
    audit,
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
    projects,
    providers,
    status_events,
    unsubscriptions,
)

__all__ = [
    "accounts",
    "audit",
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
    "projects",
    "providers",
    "status_events",
    "unsubscriptions",
]
