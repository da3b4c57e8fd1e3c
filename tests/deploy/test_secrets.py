"""Secrets are made once, stay, are private, and yield to the environment."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from deploy.config import ConfigError, Environment
from deploy.secrets import load_or_create
from notifications import api_keys


def test_secrets_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first = load_or_create(tmp_path, Environment({}))
    assert load_or_create(tmp_path, Environment({})) == first
    assert api_keys.is_generated(first.api_key)
    for variable, path in first.variables.items():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600, variable


def test_children_can_read_every_secret_by_its_file_variable(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path, Environment({}))
    child = Environment(secrets.variables)
    assert child.text("CARILLON_API_KEY") == secrets.api_key
    assert child.text("CARILLON_ADMIN_PASSWORD") == secrets.admin_password
    assert len(child.text("CARILLON_SECRET_KEY")) >= 50
    Fernet(child.text("CARILLON_ENCRYPTION_KEYS").encode())


def test_the_environment_wins_and_leaves_no_file(tmp_path: Path) -> None:
    secrets = load_or_create(tmp_path, Environment({"CARILLON_API_KEY": "k" * 32}))
    assert secrets.api_key == "k" * 32
    assert "CARILLON_API_KEY_FILE" not in secrets.variables
    assert not (tmp_path / "api_key").exists()


def test_an_interrupted_first_start_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "api_key").touch(mode=0o600)
    assert len(load_or_create(tmp_path, Environment({})).api_key) >= api_keys.MINIMUM_LENGTH


def test_a_short_api_key_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CARILLON_API_KEY must have at least 32"):
        load_or_create(tmp_path, Environment({"CARILLON_API_KEY": "short"}))
