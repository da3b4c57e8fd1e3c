"""The tables of WHEN, one module per subject."""

from schedules.models.digests import Digest, DigestItem
from schedules.models.schedules import Schedule, ScheduleRun
from schedules.models.slots import SlotLog

__all__ = ["Digest", "DigestItem", "Schedule", "ScheduleRun", "SlotLog"]
