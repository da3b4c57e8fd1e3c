"""The tables of WHEN, one module per subject."""

from schedules.models.schedules import Schedule, ScheduleRun
from schedules.models.slots import SlotLog

__all__ = ["Schedule", "ScheduleRun", "SlotLog"]
