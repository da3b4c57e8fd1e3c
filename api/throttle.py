"""How many requests one key may make: the generic cell rate algorithm (ITU-T I.371), in memory, per process.

The limit guards the service against a runaway client, it does not sell anything: generous, and divided by
the number of web processes because each counts for itself.
"""

import math
import time
from collections import OrderedDict
from typing import Final
from uuid import UUID

from django.conf import settings

from api.problems import HttpProblem

_MOST: Final = 50_000
_WINDOW_SECONDS: Final = 60.0
_BURST_SECONDS: Final = 10.0

_due: OrderedDict[UUID, float] = OrderedDict()


def check_rate(key_id: UUID) -> None:
    """Count one request of this key. Raises `HttpProblem` 429 with `Retry-After` and `RateLimit` fields."""
    interval = _WINDOW_SECONDS * settings.CARILLON_WEB_PROCESSES / settings.CARILLON_RATE_LIMIT_PER_MINUTE
    now = time.monotonic()
    due = max(_due.get(key_id, now), now) + interval
    wait = due - now - max(_BURST_SECONDS, interval)
    if wait > 0:
        raise _exceeded(wait)
    _due[key_id] = due
    if len(_due) > _MOST:
        _due.popitem(last=False)


def _exceeded(wait: float) -> HttpProblem:
    seconds = str(math.ceil(wait))
    limit = settings.CARILLON_RATE_LIMIT_PER_MINUTE
    return HttpProblem(
        429,
        "rate_limited",
        f"More than {limit} requests per minute with this key.",
        {
            "Retry-After": seconds,
            "RateLimit": f'"key";r=0;t={seconds}',
            "RateLimit-Policy": f'"key";q={limit};w={int(_WINDOW_SECONDS)}',
        },
    )
