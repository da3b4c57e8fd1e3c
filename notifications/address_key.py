"""The key under which addresses are hashed: random, made once, sealed in the database that holds the hashes.

So it goes wherever they go, backups included, and no configured key decides which addresses are known: CARILLON_SECRET_KEY may
change at any time, CARILLON_ENCRYPTION_KEYS by rotation.
"""

import base64
import secrets
from typing import Any, Final

import psycopg

from notifications.database import connection_options
from notifications.sealing import seal, unseal

_ADD: Final = "INSERT INTO notifications_addresskey (id, sealed) VALUES (1, %s) ON CONFLICT DO NOTHING"
_READ: Final = "SELECT sealed FROM notifications_addresskey WHERE id = 1"


_known: bytes | None = None


def address_key() -> bytes:
    """32 bytes. Asked for once per process, over a connection of its own; raises psycopg's errors and `SealBroken`.

    `verify_key` has it read when a process starts, so that nobody waits for it later.
    """
    if _known is None:
        with psycopg.connect(**connection_options(), autocommit=True) as connection:
            return read_address_key(connection)
    return _known


def read_address_key(connection: psycopg.Connection[Any]) -> bytes:
    """The key of this database, remembered; the first to ask makes it, and whoever asks at the same time gets the same.

    A row that was lost is put back by whoever still knows it.
    """
    global _known
    found = connection.execute(_READ).fetchone()
    if found is None:
        key = _known or secrets.token_bytes(32)
        connection.execute(_ADD, [seal(base64.b64encode(key).decode())])
        found = connection.execute(_READ).fetchone()
    if found is None:
        raise LookupError("the address key was removed as soon as it was made")
    _known = base64.b64decode(unseal(found[0]))
    return _known
