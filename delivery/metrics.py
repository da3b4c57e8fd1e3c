"""Counters of this layer, for Prometheus."""

from prometheus_client import Counter

ATTEMPTS = Counter("carillon_attempts", "Finished attempts", ["channel", "state"])
LATE = Counter("carillon_attempts_late", "Outcomes that came after their lease had passed to another")
PUT_OFF = Counter("carillon_put_off", "Claims taken back: the endpoint was busy or held, or a rate limit was reached")
ROUTED = Counter("carillon_routed", "Notifications routed")
PUSH_DROPPED = Counter("carillon_push_dropped", "Live events that were not published; sockets catch up by offset")
FEEDBACK = Counter("carillon_feedback", "Reports about sent mail that were read", ["outcome"])
UNREADABLE = Counter("carillon_feedback_unreadable", "Mails to the bounce address that were no report of ours")
