"""The admin site; importing this package registers every model, one module per group."""

from deploy.admin import accounts, beat, deliveries, feedback, idempotency, inbox, notifications, people, projects

__all__ = ["accounts", "beat", "deliveries", "feedback", "idempotency", "inbox", "notifications", "people", "projects"]
