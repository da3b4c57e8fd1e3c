"""What a running launcher told its processes, for `manage.py` beside them: `variables.json` in the data directory.

Written when the servers are up and removed at the stop; what a crash left is stale and names servers that do not answer.
Secrets that the operator gave as values are not in it: whoever keeps them off the disk gives them to `manage.py` too.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

from deploy.secrets import GENERATORS

FILE_NAME: Final = "variables.json"
_OURS: Final = re.compile(
    r"(CARILLON_\w+|DATABASE_URL|REDIS_URL|CELERY_BROKER_URL|SMTP_URL|HOST|PORT|(WEB|WORKER)_PROCESSES)(_FILE)?"
)
_SECRET: Final = frozenset(GENERATORS) | {"CARILLON_OLD_SECRET_KEYS"}


def write_variables(data_dir: Path, environment: Mapping[str, str]) -> None:
    """Put Carillon's part of `environment` into the file, readable by its owner alone, all at once."""
    ours = {name: value for name, value in environment.items() if _OURS.fullmatch(name) and name not in _SECRET}
    fresh = data_dir / f"{FILE_NAME}.new"
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(ours, file)
    fresh.rename(data_dir / FILE_NAME)


def remove_variables(data_dir: Path) -> None:
    """Take the file away, if it is there."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def use_variables(environment: MutableMapping[str, str], *, data_dir: Path) -> None:
    """Add what is in the file and not given, unless Carillon is configured by `environment` already."""
    if environment.get("CARILLON_SECRET_KEY") or environment.get("CARILLON_SECRET_KEY_FILE"):
        return
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads((data_dir / FILE_NAME).read_text()).items():
            environment.setdefault(name, value)
