"""What every answer of the server is: a frozen struct; times are aware datetimes in UTC.

States, reasons, channels and types stay strings: a newer server may know more of them. So may it know more fields,
which are passed over.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the server said."""


class SecretResult(Result, frozen=True, kw_only=True):
    """Something that must not end up in a log: its `repr` hides `secret` and `token`."""

    def __repr__(self) -> str:
        hidden = {"secret", "token"}
        shown = (f"{name}={'***' if name in hidden else repr(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"


class Page(Result, Generic[T], frozen=True, kw_only=True):
    """Part of a list, newest first. `next` goes on with what is older; None at the end."""

    data: tuple[T, ...]
    next: str | None = None
    previous: str | None = None
