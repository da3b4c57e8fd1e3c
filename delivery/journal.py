"""Outcomes that are known but not yet in the database, kept where they outlive the process that learned them.

Between a receiver's answer and the commit that records it lie milliseconds, or seconds while PostgreSQL is away. A worker
killed in that time would let its leases run out, and somebody would be told twice. So every outcome is first appended
to a file of this process under the data directory: a write into the page cache, some microseconds, which survives
everything but the machine's own crash (then, as without a journal, the lease ends and the attempt is repeated). Whoever lives on
takes the files of the dead, which a file lock tells from those of the living, and records what they say; the fence of
the lease token makes that harmless however often it happens.

A file holds one JSON object per line; a line cut short by the death of its writer is passed over.
"""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from delivery.finish import Finish
from notifications import ids

log = structlog.get_logger(__name__)

_LARGEST_BYTES: Final = 1 << 20
_SUFFIX: Final = ".outcomes"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Finish).decode


class Journal:
    """This process's own file; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._path: Path | None = None
        self._file = -1
        self._size = 0
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path = folder / f"{ids.new_uuid().hex}{_SUFFIX}"
            self._file = _open_locked(self._path)

    def add(self, finish: Finish) -> None:
        """Keep this outcome until `settle`."""
        if self._file >= 0:
            self._append(_line(finish))

    def settle(self, waiting: Iterable[Finish]) -> None:
        """Everything but `waiting` is in the database."""
        left = b"".join(map(_line, waiting)) if self._size > _LARGEST_BYTES else None
        if left is None and any(True for _ in waiting):
            return
        if self._file >= 0 and self._size:
            os.ftruncate(self._file, 0)
            self._size = 0
            self._append(left or b"")

    def close(self) -> None:
        """Everything is in the database."""
        if self._path is not None and self._file >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    def _append(self, lines: bytes) -> None:
        if self._file >= 0 and lines:
            try:
                self._size += os.write(self._file, lines)
            except OSError as error:  # a full disk: as without a journal
                log.warning("journal_not_written", error=str(error))


@dataclass(frozen=True, slots=True)
class Estate:
    """What a dead process knew. The lock is held until `close`, so nobody else takes it."""

    path: Path
    finishes: list[Finish]
    _file: int

    def close(self, *, recorded: bool) -> None:
        """Give it up; `recorded` when everything in it is in the database."""
        if recorded:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def find_estates(folder: Path | None) -> list[Estate]:
    """Take what dead processes left in `folder`. Blocking, for a thread."""
    if folder is None:
        return []
    try:
        paths = [path for path in folder.iterdir() if path.suffix == _SUFFIX]
    except FileNotFoundError:
        return []
    return [estate for path in paths if (estate := _take(path)) is not None]


def _take(path: Path) -> Estate | None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    if not path.exists():  # its new owner was quicker
        os.close(file)
        return None
    return Estate(path, [found for line in path.read_bytes().splitlines() if (found := _read(line))], file)


def _line(finish: Finish) -> bytes:
    try:
        return _encode(finish) + b"\n"
    except (UnicodeError, TypeError):  # the other side's words are not text; that it is over is what counts
        return _encode(replace(finish, response={}, request=None)) + b"\n"


def _read(line: bytes) -> Finish | None:
    try:
        return _decode(line)
    except msgspec.DecodeError:
        log.warning("journal_line_unreadable", length=len(line))
        return None


def _open_locked(path: Path) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file
