"""Counters of this layer, for Prometheus."""

from prometheus_client import Counter, Histogram

INTAKE_GROUP = Histogram(
    "carillon_intake_group_size", "Requests that shared one commit", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
BELL_RUNG = Counter("carillon_bell_rung", "Wake-ups published", ["stage"])
BELL_FAILED = Counter("carillon_bell_failed", "Wake-ups that could not be published", ["stage"])
