"""Seals every sealed column again with the first key, batch by batch, while the platform runs.

What another process seals meanwhile with an older first key (its restart with the new keys is still to come) is found by
one more pass: passes are repeated until one finds nothing to do. The canary comes last and only if nothing is left
behind, so that it never vouches for a key that does not open everything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db import connection, transaction

from notifications.sealed_columns import SEALED_COLUMNS
from notifications.sealing import SealBroken, looks_sealed, reseal

CANARY: Final = ("notifications.Canary", "sealed")
_MOST_PASSES: Final = 5


@dataclass(slots=True)
class ColumnResult:
    """What one column's pass came to; `broken` are primary keys of rows that no key opens."""

    name: str
    seen: int = 0
    resealed: int = 0
    broken: list[Any] = field(default_factory=list)


def rotate_all(*, batch: int, on_progress: Callable[[ColumnResult], None]) -> list[ColumnResult]:
    """Every column, then the canary; the result of each pass over each column."""
    results: list[ColumnResult] = []
    columns = [column for column in SEALED_COLUMNS if column != CANARY]
    for _ in range(_MOST_PASSES):
        this_pass = [rotate_column(label, name, batch=batch, on_progress=on_progress) for label, name in columns]
        results = [*(result for result in results if not result.broken), *this_pass]
        if not any(result.resealed for result in this_pass):
            break
    if not any(result.broken for result in results):
        results.append(rotate_column(*CANARY, batch=batch, on_progress=on_progress))
    return results


def rotate_column(
    label: str, field_name: str, *, batch: int, on_progress: Callable[[ColumnResult], None]
) -> ColumnResult:
    """One pass over one column in the order of primary keys; `on_progress` hears after every batch with work done."""
    model = apps.get_model(label)
    result = ColumnResult(f"{label}.{field_name}")
    rows = model._default_manager.exclude(**{field_name: ""}).order_by("pk")
    last: Any = None
    while True:
        page = list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", field_name)[:batch])
        if not page:
            break
        last = page[-1][0]
        fresh = _open_page(page, result)
        result.resealed += _replace(model._meta.db_table, model._meta.pk.column, _column(model, field_name), fresh)
        if fresh:
            on_progress(result)
    on_progress(result)
    return result


def _column(model: Any, field_name: str) -> str:
    return str(model._meta.get_field(field_name).column)


def _open_page(page: list[tuple[Any, str]], result: ColumnResult) -> list[tuple[Any, str, str]]:
    """Primary key, text as read, text to put in its place."""
    fresh: list[tuple[Any, str, str]] = []
    for pk, text in page:
        if not looks_sealed(text):
            continue  # answers of which nothing is secret lie open
        result.seen += 1
        try:
            again = reseal(text)
        except SealBroken:
            result.broken.append(pk)
            continue
        if again is not None:
            fresh.append((pk, text, again))
    return fresh


def _replace(table: str, pk_column: str, column: str, fresh: list[tuple[Any, str, str]]) -> int:
    """Compare and swap, so that what somebody else wrote meanwhile stays; how many were replaced."""
    if not fresh:
        return 0
    quote = connection.ops.quote_name
    statement = f"UPDATE {quote(table)} SET {quote(column)} = %s WHERE {quote(pk_column)} = %s AND {quote(column)} = %s"  # noqa: S608 - names of our own models
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, [(again, pk, text) for pk, text, again in fresh])
        return int(cursor.rowcount)
