"""Which spellings are one mailbox, and a hash that tells nothing without the database's key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from notifications import address_key
from notifications.address_key import read_address_key
from notifications.addresses import hash_address, hash_email, normalise_email
from notifications.canary import verify_key
from notifications.database import connection_options
from notifications.models import AddressKey
from notifications.rotation import rotate_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def known_key(transactional_db: None) -> None:
    verify_key()


@pytest.mark.parametrize(
    "spelling",
    ["ada@example.com", "Ada@Example.COM", " ADA@EXAMPLE.COM. ", "ada@EXAMPLE.com"],
)
def test_spellings_of_one_mailbox(spelling: str) -> None:
    assert normalise_email(spelling) == "ada@example.com"
    assert hash_email(spelling) == hash_email("ada@example.com")


def test_beyond_ascii() -> None:
    assert normalise_email("JÖRG@Bücher.example") == "jörg@xn--bcher-kva.example"
    assert normalise_email("jo\u0308rg@xn--bcher-kva.example") == "jörg@xn--bcher-kva.example"


@pytest.mark.parametrize("other", ["a.da@example.com", "ada+news@example.com", "ada@mail.example.com", "ada", "", "@"])
def test_other_mailboxes(other: str) -> None:
    assert hash_email(other) != hash_email("ada@example.com")


@pytest.mark.parametrize("odd", ["\ud800@example.com", "a@\ud800", "a@" + "ü" * 300, "@" * 50, "a@b@c", "a@xn--\u00fc"])
def test_what_is_no_address_is_still_hashed(odd: str) -> None:
    assert len(hash_email(odd)) == 32


def test_the_hash_depends_on_the_channel_and_the_database_and_on_no_configured_key(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hash_address("ada@example.com")
    assert hash_address("ada@example.com", channel="sms") != before
    settings.SECRET_KEY = "another key of the platform, long enough"
    verify_key()
    assert hash_address("ada@example.com") == before
    settings.CARILLON_ENCRYPTION_KEYS = (Fernet.generate_key().decode(), *settings.CARILLON_ENCRYPTION_KEYS)
    rotate_all(batch=10, on_progress=lambda _: None)
    settings.CARILLON_ENCRYPTION_KEYS = settings.CARILLON_ENCRYPTION_KEYS[:1]
    verify_key()
    assert hash_address("ada@example.com") == before
    AddressKey.objects.all().delete()
    verify_key()  # whoever still knows it puts it back
    assert hash_address("ada@example.com") == before
    AddressKey.objects.all().delete()
    monkeypatch.setattr(address_key, "_known", None)  # as another installation's process
    assert hash_address("ada@example.com") != before


def test_whoever_asks_first_everybody_has_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    AddressKey.objects.all().delete()
    monkeypatch.setattr(address_key, "_known", None)

    def ask() -> bytes:
        with psycopg.connect(**connection_options(), autocommit=True) as connection:
            return read_address_key(connection)

    with ThreadPoolExecutor(8) as pool:
        assert len({future.result() for future in [pool.submit(ask) for _ in range(16)]}) == 1
