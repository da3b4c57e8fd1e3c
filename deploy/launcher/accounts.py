"""As whom PostgreSQL runs: it refuses root, so root lends it an unprivileged account."""

import os
import pwd
from dataclasses import dataclass

from deploy.launcher.errors import StartError

CANDIDATES = ("carillon", "postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of this machine, by number."""

    uid: int
    gid: int


def is_root() -> bool:
    """Whether this process may (and, for PostgreSQL, must) change its account."""
    return os.geteuid() == 0


def unprivileged_account() -> Account:
    """The first of our candidates that this machine knows."""
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StartError(
        f"PostgreSQL does not run as root and none of the accounts {', '.join(CANDIDATES)} exists: "
        "create one, start as an ordinary user, or set DATABASE_URL"
    )
