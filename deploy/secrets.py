"""Secrets an operator did not give: made once, kept in the data directory, readable by its owner alone."""

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.config import ConfigError, Environment
from notifications import api_keys


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the banner shows, and the variables that tell child processes where their secrets are."""

    api_key: str
    admin_password: str
    variables: dict[str, str]


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


GENERATORS: dict[str, tuple[str, Callable[[], str]]] = {
    "CARILLON_SECRET_KEY": ("secret_key", lambda: secrets.token_urlsafe(50)),
    "CARILLON_ENCRYPTION_KEYS": ("encryption_keys", _fernet_key),
    "CARILLON_API_KEY": ("api_key", api_keys.generate),
    "CARILLON_ADMIN_PASSWORD": ("admin_password", lambda: secrets.token_urlsafe(12)),
}


def load_or_create(data_dir: Path, environment: Environment) -> Secrets:
    """All secrets; a value in the environment wins over the file.

    Children get paths (`NAME_FILE`), not values: a process's environment is easier to read than a 0600 file.
    """
    values: dict[str, str] = {}
    variables: dict[str, str] = {}
    for variable, (file_name, generate) in GENERATORS.items():
        given = environment.text(variable, "")
        if not given:
            path = data_dir / file_name
            given = _read_or_create(path, generate)
            variables[f"{variable}_FILE"] = str(path)
        values[variable] = given
    api_key = values["CARILLON_API_KEY"]
    if len(api_key) < api_keys.MINIMUM_LENGTH:
        raise ConfigError(f"CARILLON_API_KEY must have at least {api_keys.MINIMUM_LENGTH} characters")
    return Secrets(api_key, values["CARILLON_ADMIN_PASSWORD"], variables)


def _read_or_create(path: Path, generate: Callable[[], str]) -> str:
    try:
        if value := path.read_text().strip():
            return value
    except FileNotFoundError:
        pass
    value = generate()
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
        file.flush()
        # Data encrypted with a key that a power cut took away would be lost with it.
        os.fsync(file.fileno())
    fresh.rename(path)
    return value
