"""Counters of this layer, for Prometheus."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("carillon_inbox_sockets", "Open inbox sockets of this process")
RECIPIENTS = Gauge("carillon_inbox_recipients", "Recipients with an open socket in this process")
CLOSED = Counter("carillon_inbox_closed", "Sockets closed by the server", ["code"])
CATCH_UPS = Counter("carillon_inbox_catch_ups", "Pages of the inbox log read for sockets that were behind")
EVENTS = Counter("carillon_inbox_live_events", "Live events that arrived through the channel layer")
