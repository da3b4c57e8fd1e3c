"""The tables of WHEN, one module per subject."""

from schedules.models.slots import SlotLog

__all__ = ["SlotLog"]
