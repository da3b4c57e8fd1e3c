"""Cursor pages: `?limit=&after=&before=` -> `{"data", "next", "previous"}`, newest first.

A cursor is the UUIDv7 of the row it stands at with a MAC over list, project and row, so that it means nothing
elsewhere and cannot be made up. Rows that come or go between two pages shift nothing.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet

from notifications.errors import Fault, Invalid

RowT = TypeVar("RowT", bound=Model)
ItemT = TypeVar("ItemT")

DEFAULT_LIMIT: Final = 25
MAX_LIMIT: Final = 100
PARAMETERS: Final = frozenset({"limit", "after", "before"})
_MAC_BYTES: Final = 8
_CURSOR_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of which list is wanted. `name` tells lists apart: a cursor of one is none of another."""

    name: str
    limit: int
    after: UUID | None
    before: UUID | None

    def cursor(self, row_id: UUID) -> str:
        return base64.urlsafe_b64encode(row_id.bytes + _mac(self.name, row_id.bytes)).decode()


def read_page(query: Mapping[str, str], *, name: str, project_id: UUID) -> Page:
    """The wanted page. Raises `Invalid` with the parameter's name as pointer."""
    name = f"{name}:{project_id.hex}"
    if "after" in query and "before" in query:
        raise Invalid([Fault("/before", "Give after or before, not both.")])
    return Page(name, read_limit(query), _position(query, "after", name), _position(query, "before", name))


def cut(rows: QuerySet[RowT], page: Page, out: Callable[[RowT], dict[str, Any]], *, by: str = "id") -> dict[str, Any]:
    """One page of `rows` in descending order of `by`, a UUID column, each row through `out`."""
    backwards = page.before is not None
    if page.before is not None:
        found = rows.filter(**{f"{by}__gt": page.before}).order_by(by)
    elif page.after is not None:
        found = rows.filter(**{f"{by}__lt": page.after}).order_by(f"-{by}")
    else:
        found = rows.order_by(f"-{by}")
    items = list(found[: page.limit + 1])
    return enclose(items[::-1] if backwards else items, page, out, lambda row: getattr(row, by))


def enclose(
    items: Sequence[ItemT], page: Page, out: Callable[[ItemT], dict[str, Any]], position: Callable[[ItemT], UUID]
) -> dict[str, Any]:
    """The page of `items`, newest first: those on the wanted side, and one more than fits where there are more."""
    backwards = page.before is not None
    more = len(items) > page.limit
    if more:
        items = items[1:] if backwards else items[:-1]
    older = bool(items) and (more or backwards)
    newer = bool(items) and (more if backwards else page.after is not None)
    return {
        "data": [out(item) for item in items],
        "next": page.cursor(position(items[-1])) if older else None,
        "previous": page.cursor(position(items[0])) if newer else None,
    }


def read_limit(query: Mapping[str, str]) -> int:
    """The wanted `limit`. Raises `Invalid`."""
    text = query.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise Invalid([Fault("/limit", f"Must be a number from 1 to {MAX_LIMIT}.")])
    return int(text)


def _position(query: Mapping[str, str], parameter: str, name: str) -> UUID | None:
    text = query.get(parameter)
    if text is None:
        return None
    fault = Invalid([Fault(f"/{parameter}", "Not a cursor of this list.")])
    if len(text) != _CURSOR_LENGTH or not text.isascii():
        raise fault
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        raise fault from None
    row_id, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(name, row_id)):
        raise fault
    return UUID(bytes=row_id)


def _mac(name: str, row_id: bytes) -> bytes:
    key = b"carillon-cursor:" + settings.SECRET_KEY.encode()
    return hmac.digest(key, name.encode() + b":" + row_id, hashlib.sha256)[:_MAC_BYTES]
