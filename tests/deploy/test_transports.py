"""DKIM keys from files: read with the configuration, and what is wrong with one is said at once."""

from pathlib import Path

import pytest

from deploy.config import ConfigError
from deploy.transports import read_signing_keys, transport_settings
from tests.delivery.transports.email.signing import ed25519_key, pem_of, rsa_key


def test_files_become_keys_of_the_email_transport(tmp_path: Path) -> None:
    (tmp_path / "rsa.pem").write_text(pem_of(rsa_key()))
    (tmp_path / "ed.pem").write_text(pem_of(ed25519_key()))
    keys = read_signing_keys([f"Example.org:S1:{tmp_path}/rsa.pem", f"example.org:s2:{tmp_path}/ed.pem"])
    assert [(key.domain, key.selector) for key in keys] == [("example.org", "s1"), ("example.org", "s2")]
    transports = transport_settings(
        smtp_url="smtp://localhost",
        catches_mail=False,
        mail_from="c@example.org",
        webhook_allow=(),
        user_agent="C",
        signing_keys=keys,
    )
    assert transports["email"].conf.signing_keys == keys


@pytest.mark.parametrize(
    "entry", ["example.org", "example.org:s1", "example.org:s1:/nowhere", ":s1:{key}", "a:b c:{key}"]
)
def test_an_entry_that_is_of_no_use_is_named(tmp_path: Path, entry: str) -> None:
    (tmp_path / "key").write_text(pem_of(ed25519_key()))
    with pytest.raises(ConfigError, match="CARILLON_DKIM_KEYS"):
        read_signing_keys([entry.format(key=tmp_path / "key")])


def test_a_file_that_is_no_key_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match="PEM") as caught:
        read_signing_keys([f"example.org:s1:{tmp_path}/key"])
    assert "secret" not in str(caught.value)
