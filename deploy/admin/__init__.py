"""The admin site; importing this package registers every model, one module per group."""

from deploy.admin import accounts, beat, deliveries, idempotency, inbox, isolation, notifications, people, projects

__all__ = ["accounts", "beat", "deliveries", "idempotency", "inbox", "isolation", "notifications", "people", "projects"]
