"""Where embedded PostgreSQL keeps its files and as whom it runs.

An ordinary user's server lives in the data directory. Root's server runs under another account, which cannot reach
into (say) a closed home folder: its files lie below /var/lib/carillon, and the data directory remembers where. No
folder that is not ours has its permissions changed.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.accounts import Account, is_root, unprivileged_account
from deploy.launcher.binaries import postgres_installation, shared_postgres_installation, system_folder
from deploy.launcher.errors import StartError
from deploy.launcher.folders import make_private_folder, path_digest, socket_folder


@dataclass(frozen=True)
class Place:
    """One server's home (holds `data`), its socket folder, its programs, and its account when it is not ours."""

    home: Path
    sockets: Path
    installation: Path
    account: Account | None


def find_place(data_dir: Path) -> Place:
    """Decide (or remember) where the server of this data directory lives; creates the folders."""
    own = data_dir / "postgres"
    if not is_root():
        home = make_private_folder(own)
        return Place(home, socket_folder(data_dir), postgres_installation(), None)
    # Where an ordinary user started before, the server stays and goes on as that user.
    home = own if own.is_dir() and own.stat().st_uid != 0 else _remembered_home(data_dir)
    state = home.stat()
    account = Account(state.st_uid, state.st_gid)
    return Place(home, _lent_folder(home / "run", account), shared_postgres_installation(), account)


def _remembered_home(data_dir: Path) -> Path:
    note = data_dir / "postgres.place"
    if note.exists():
        home = Path(note.read_text().strip())
        if not home.is_dir():
            raise StartError(
                f"the database of {data_dir} was kept in {home}, which is gone: restore that folder, "
                f"or remove {note} to begin with an empty database"
            )
        return home
    # Never what an earlier data directory at the same path left: its secrets are gone with it.
    name = f"{path_digest(data_dir)}-{secrets.token_hex(4)}"
    home = _lent_folder(system_folder() / name, unprivileged_account())
    note.write_text(f"{home}\n")
    return home


def _lent_folder(path: Path, account: Account) -> Path:
    make_private_folder(path)
    os.chown(path, account.uid, account.gid)
    return path
