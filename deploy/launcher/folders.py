"""Private folders: the data directory, its lock, and places short enough for Unix sockets."""

import fcntl
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from deploy.launcher.errors import StartError

SOCKET_PATH_LIMIT = 103
"""Bytes a Unix socket's path may have on every system we run on (macOS is the shortest)."""

LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


def make_private_folder(path: Path) -> Path:
    """Create `path` for this account alone; missing parents get the system's usual permissions."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(f"cannot create {path}: {error.strerror}") from error
    return path


def lock_folder(folder: Path) -> int:
    """Hold `folder` for this process; the kernel lets go when the process ends, however it ends."""
    path = folder / "lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"cannot write to {folder}: {error.strerror} (set CARILLON_DATA_DIR)") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 20).decode(errors="replace").strip()
        os.close(lock)
        raise StartError(
            f"the data directory {folder} is in use by another Carillon (process {holder or 'unknown'}): "
            "stop it, or set CARILLON_DATA_DIR to another folder",
            exit_status=2,
        ) from error
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def path_digest(path: Path) -> str:
    """A short stable name for a folder, for what belongs to it but lies elsewhere."""
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]


def socket_folder(home: Path) -> Path:
    """A private folder for sockets: `home/run`, or one in the system's temporary folder when that path is too long."""
    preferred = home / "run"
    if fits_a_socket(preferred):
        return make_private_folder(preferred)
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 (owner and mode are checked below)
        folder = base / f"carillon-{os.geteuid()}-{path_digest(home)}"
        if fits_a_socket(folder):
            return refuse_foreign(make_private_folder(folder))
    raise StartError(f"no folder with a path short enough for a socket: {preferred} is too long")


def fits_a_socket(folder: Path) -> bool:
    """Whether the longest socket name we use fits below `folder`, and stands in a URL without escapes.

    (Redis clients do not agree on how to unescape the path in a `unix://` URL.)
    """
    plain = re.fullmatch(r"[A-Za-z0-9._/-]+", str(folder)) is not None
    return plain and len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def refuse_foreign(folder: Path) -> Path:
    """A folder in a shared place is trusted only when it is ours and closed to others."""
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise StartError(f"{folder} belongs to somebody else or is open to others: remove it")
    return folder
