"""How often something may happen for each of many keys: a token bucket, kept only while it is not full."""


class Pace:
    """`at_once` may come together, then `per_second`. Times are readings of one clock, given by the caller."""

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._full_at: dict[str, float] = {}

    def take(self, key: str, now: float) -> bool:
        """Count one for this key; False, and uncounted, when there were too many."""
        full_at = max(now, self._full_at.get(key, now)) + 1 / self._per_second
        if full_at > now + self._at_once / self._per_second:
            return False
        self._full_at.pop(key, None)
        self._full_at[key] = full_at
        return True

    def forget(self, now: float) -> None:
        """Let go of what is full again: mostly those that came first, so it ends at the first that is not."""
        while (key := next(iter(self._full_at), None)) is not None and self._full_at[key] <= now:
            del self._full_at[key]
