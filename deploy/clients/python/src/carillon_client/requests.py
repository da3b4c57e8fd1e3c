"""Requests as values: what is asked, and how its answer reads. No I/O."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

T = TypeVar("T")
OtherT = TypeVar("OtherT")


@dataclass(frozen=True)
class Request(Generic[T]):
    """One logical request, the same bytes however often it is made. `read` turns the body of a success into a result."""

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    idempotency_key: str | None = None
    wait_seconds: float = 0.0  # how long the server may take on purpose

    def reading(self, read: Callable[[bytes], OtherT]) -> Request[OtherT]:
        """The same request, its answer read in another way."""
        return Request(self.method, self.path, read, self.query, self.body, self.idempotency_key, self.wait_seconds)

    def taking(self, wait_seconds: float) -> Request[T]:
        """The same request, which the server answers after so many seconds at the latest."""
        return replace(self, wait_seconds=wait_seconds)

    def after(self, cursor: str) -> Request[T]:
        """The same list, from this cursor on."""
        return replace(self, query={**self.query, "after": cursor})


def get(path: str, into: type[T], **query: object) -> Request[T]:
    """Read something. Parameters that are None are left out."""
    return Request("GET", path, as_json(into), {name: _text(value) for name, value in given(query).items()})


def post(path: str, body: object, into: type[T], idempotency_key: str | None, **query: object) -> Request[T]:
    """Do something, once for its key, which is made here unless it is given."""
    return Request(
        "POST",
        path,
        as_json(into),
        {name: _text(value) for name, value in given(query).items()},
        None if body is None else msgspec.json.encode(body),
        str(uuid.uuid4()) if idempotency_key is None else idempotency_key,
    )


def put(path: str, body: object, into: type[T]) -> Request[T]:
    """Make or replace something."""
    return Request("PUT", path, as_json(into), body=msgspec.json.encode(body))


def patch(path: str, body: object, into: type[T]) -> Request[T]:
    """Change something; a merge patch, so twice is once."""
    return Request("PATCH", path, as_json(into), body=msgspec.json.encode(body))


def delete(path: str) -> Request[None]:
    """Remove something."""
    return Request("DELETE", path, lambda _: None)


def path(*parts: str) -> str:
    """`/v1/` and the parts, each one segment whatever is in it. Raises ValueError for an empty one."""
    if not all(parts):
        raise ValueError("an id or a key must not be empty")
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def given(values: Mapping[str, object]) -> dict[str, object]:
    """Without what is None."""
    return {name: value for name, value in values.items() if value is not None}


def as_json(kind: type[T]) -> Callable[[bytes], T]:
    """A reader of this type. Fields that it does not know are passed over: the server may be newer."""
    decode: Callable[[bytes], T] = _decoder(kind).decode  # type: ignore[arg-type]  # types are hashable
    return decode


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
