"""Telling the caller what became of things: events recorded with the change itself, sent apart from all deliveries."""

from delivery.status_events.recording import record

__all__ = ["record"]
