"""Who holds an API key: looked up once, then answered from memory for a few seconds.

A key that is revoked or expires stops working within `key_cache_seconds`; unknown keys are remembered too, so a flood
of wrong ones costs one look-up each, and the memory of both is bounded.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from notifications import api_keys
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.executor import in_thread
from notifications.models import ApiKey

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """The project and scopes that an accepted key stands for."""

    key_id: UUID
    project_id: UUID
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


_known: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()


async def find_caller(key: str) -> Caller | None:
    """The holder of `key`, or None. Raises `Unavailable` when the key is not remembered and PostgreSQL is away."""
    digest = api_keys.digest(key)
    remembered = _known.get(digest)
    now = time.monotonic()
    if remembered is not None and remembered[0] > now:
        return remembered[1]
    caller = await in_thread(_look_up, key)
    _known[digest] = (now + conf().key_cache_seconds, caller)
    _known.move_to_end(digest)
    if len(_known) > _MOST:
        _known.popitem(last=False)
    return caller


def _look_up(key: str) -> Caller | None:
    row = ApiKey.objects.filter(public_id=api_keys.public_id_of(key)).first()
    if row is None or not api_keys.matches(key, row.digest) or not row.is_usable(utc_now()):
        return None
    return Caller(key_id=row.id, project_id=row.project_id, scopes=frozenset(row.scopes))
