"""Reads the Maildir of the built-in SMTP catcher. What is in there came from anywhere: nothing in it is trusted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default as policy
from heapq import nlargest
from pathlib import Path
from typing import Any, Final

_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,:=_-]{0,200}\Z")
_HEAD_BYTES: Final = 64 * 1024
_SOURCE_CHARACTERS: Final = 300_000
# What the standard library's header parsers raise on input they did not foresee.
_UNREADABLE: Final = (ValueError, LookupError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True)
class Head:
    """One line of the list."""

    name: str
    subject: str
    sender: str
    to: str
    caught_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, taken apart."""

    head: Head
    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    attachments: list[str]
    source: str
    cut: bool


def newest(folder: Path, *, limit: int, to: str | None = None) -> list[Head]:
    """The latest mails, newest first; with `to` only those whose envelope names that address."""
    paths = nlargest(limit if to is None else 10 * limit, _files(folder), key=lambda path: path.name)
    heads = (head for path in paths if (head := _read_head(path)) is not None)
    if to is not None:
        heads = (head for head in heads if to.lower() in head.to.lower())
    return [head for head, _ in zip(heads, range(limit), strict=False)]


def read(folder: Path, name: str) -> Mail | None:
    """One mail by its name in the list; None when it is not (or no longer) there."""
    content = read_raw(folder, name)
    if content is None:
        return None
    message = message_from_bytes(content, policy=policy)
    assert isinstance(message, EmailMessage)
    source = content.decode("utf-8", "replace")
    return Mail(
        head=_head(name, message, _arrival(name)),
        headers=[(key, _plain(message, key, value)) for key, value in message.raw_items()],
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=[_attachment(part) for part in _attachments(message)],
        source=source[:_SOURCE_CHARACTERS],
        cut=len(source) > _SOURCE_CHARACTERS,
    )


def read_raw(folder: Path, name: str) -> bytes | None:
    """The bytes of one mail."""
    if not _NAME.match(name):
        return None
    for place in ("new", "cur"):
        try:
            return (folder / place / name).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            continue
    return None


def _files(folder: Path) -> Iterator[Path]:
    for place in ("new", "cur"):
        try:
            yield from (path for path in (folder / place).iterdir() if _NAME.match(path.name))
        except FileNotFoundError:
            continue


def _read_head(path: Path) -> Head | None:
    try:
        with path.open("rb") as file:
            message = BytesHeaderParser(policy=policy).parsebytes(file.read(_HEAD_BYTES))
    except FileNotFoundError:  # pruned a moment ago
        return None
    return _head(path.name, message, _arrival(path.name))


def _head(name: str, message: Any, caught_at: datetime) -> Head:
    return Head(
        name=name,
        subject=_header(message, "Subject"),
        sender=_header(message, "From") or _header(message, "Return-Path"),
        to=_header(message, "Delivered-To") or _header(message, "X-RcptTo") or _header(message, "To"),
        caught_at=caught_at,
    )


def _arrival(name: str) -> datetime:
    """The catcher's names begin with nanoseconds (any other Maildir's with seconds)."""
    digits = re.match(r"\d{1,19}", name)
    number = int(digits[0]) if digits else 0
    return datetime.fromtimestamp(number / 1e9 if number > 1e12 else number, UTC)


def _header(message: Any, name: str) -> str:
    try:
        value = message.get(name, "")
    except _UNREADABLE:
        return next((str(raw) for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return str(value)


def _plain(message: Any, key: str, raw: Any) -> str:
    """A header decoded for reading; its raw form where it cannot be."""
    try:
        value = policy.header_fetch_parse(key, raw)
        return ", ".join(str(a) for a in value.addresses) if isinstance(value, AddressHeader) else str(value)
    except _UNREADABLE:
        return str(raw)


def _body(message: EmailMessage, kind: str) -> str | None:
    try:
        part = message.get_body((kind,))
    except _UNREADABLE:
        return None
    if part is None:
        return None
    try:
        return str(part.get_content())
    except _UNREADABLE:
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None


def _attachments(message: EmailMessage) -> list[Any]:
    try:
        return list(message.iter_attachments())
    except _UNREADABLE:  # a multipart type without parts
        return []


def _attachment(part: Any) -> str:
    try:
        return f"{part.get_filename() or 'unnamed'} ({part.get_content_type()})"
    except _UNREADABLE:
        return "unreadable"
