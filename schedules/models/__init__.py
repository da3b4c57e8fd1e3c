"""The tables of WHEN, one module per subject."""

from schedules.models.digests import Digest, DigestItem
from schedules.models.slots import SlotLog

__all__ = ["Digest", "DigestItem", "SlotLog"]
