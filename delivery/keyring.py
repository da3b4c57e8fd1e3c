"""The DKIM keys in the database, as one process knows them: read again when what is known has grown old."""

import time
from collections import defaultdict
from typing import Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.transports.base import SigningKey
from notifications.sealing import SealBroken, unseal

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 15.0

# For each project that has keys of its own, and for all others (null): the newest key per domain and algorithm.
_READ: Final = """
    SELECT DISTINCT ON (scope.project_id, k.domain, k.algorithm)
           scope.project_id, k.domain, k.selector, k.sealed_private_key
      FROM (SELECT DISTINCT project_id FROM delivery_dkimkey WHERE active UNION SELECT NULL) AS scope
      JOIN delivery_dkimkey k ON k.project_id IS NULL OR k.project_id = scope.project_id
     WHERE k.active
     ORDER BY scope.project_id, k.domain, k.algorithm DESC, k.project_id IS NULL, k.created_at DESC, k.id DESC"""


class Keyring:
    """Belongs to one lane. A change in the admin is known everywhere after `FRESH_SECONDS`."""

    def __init__(self) -> None:
        self._keys: dict[UUID | None, tuple[SigningKey, ...]] = {}
        self._known_until = 0.0

    async def refresh(self, connection: AsyncConnection[TupleRow]) -> None:
        """Read the keys if what is known is old. Raises psycopg errors."""
        now = time.monotonic()
        if now < self._known_until:
            return
        found: dict[UUID | None, list[SigningKey]] = defaultdict(list)
        cursor = await connection.execute(_READ, prepare=True)
        for project_id, domain, selector, sealed in await cursor.fetchall():
            found[project_id].append(SigningKey(domain, selector, _open(sealed, domain, selector)))
        self._keys = {project_id: tuple(keys) for project_id, keys in found.items()}
        self._known_until = now + FRESH_SECONDS

    def keys_of(self, project_id: UUID) -> tuple[SigningKey, ...]:
        """What signs this project's mail, for all its domains."""
        return self._keys.get(project_id) or self._keys.get(None, ())


def _open(sealed: str, domain: str, selector: str) -> str:
    """The PEM; empty when it cannot be read, which stops the domain's mail instead of sending it unsigned."""
    try:
        return unseal(sealed)
    except SealBroken:
        log.error("dkim_key_unreadable", domain=domain, selector=selector)
        return ""
