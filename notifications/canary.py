"""Refuses to work with keys that do not belong to the database, before anything is sealed, opened or sent with them.

The first process to start seals a known text (`Canary`); every process after it must be able to open that. An
installation from before the canary is asked for something that it holds sealed already.
"""

from typing import Any, Final

import psycopg
from django.apps import apps
from psycopg import sql

from notifications.address_key import read_address_key
from notifications.database import connection_options
from notifications.sealed_columns import SEALED_COLUMNS
from notifications.sealing import SealBroken, looks_sealed, seal, unseal

_TEXT: Final = "carillon"
_READ: Final = "SELECT sealed FROM notifications_canary WHERE id = 1"
_ADD: Final = "INSERT INTO notifications_canary (id, sealed) VALUES (1, %s) ON CONFLICT DO NOTHING"
_SAMPLES: Final = sql.SQL("SELECT {column} FROM {table} WHERE {column} LIKE 'gAAAA%' LIMIT 3")

WRONG_KEY: Final = (
    "CARILLON_ENCRYPTION_KEYS: none of the configured keys opens what this database holds. Put back the key that it was"
    " written with, after the new one if there is one (comma-separated; make up keeps the key it generated in the file"
    " encryption_keys of the data directory). Nothing was changed and nothing was sent."
)


class WrongKey(Exception):
    """The configured keys are not this database's, or are none at all."""


def verify_key(*, add: bool = True) -> None:
    """Raises WrongKey, and psycopg's errors when the database does not answer. `add`: leave the canary if there is none,
    and likewise the address key, which this process knows from then on.

    Over a connection of its own that is closed at once, so it may be called before a fork.
    """
    try:
        fresh = seal(_TEXT)
    except (ValueError, TypeError):
        raise WrongKey("CARILLON_ENCRYPTION_KEYS: not a list of Fernet keys (32 bytes, URL-safe base64)") from None
    with psycopg.connect(**connection_options(), autocommit=True) as connection:
        try:
            if not _opens(connection):
                raise WrongKey(WRONG_KEY)
            if add:
                connection.execute(_ADD, [fresh])
                read_address_key(connection)
        except psycopg.errors.UndefinedTable:
            return  # not migrated yet: nothing is there to be opened


def _opens(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(_READ).fetchone()
    samples = [found[0]] if found else _samples(connection)
    for sample in samples:
        try:
            unseal(sample)
        except SealBroken:
            continue
        return True
    return not samples


def _samples(connection: psycopg.Connection[Any]) -> list[str]:
    """Some of what lies sealed; few, since one broken text is no reason not to start."""
    texts: list[str] = []
    for label, field in SEALED_COLUMNS:
        model = apps.get_model(label)
        column, table = model._meta.get_field(field).column, model._meta.db_table
        query = _SAMPLES.format(column=sql.Identifier(column), table=sql.Identifier(table))
        texts += [text for (text,) in connection.execute(query).fetchall() if looks_sealed(text)]
    return texts
