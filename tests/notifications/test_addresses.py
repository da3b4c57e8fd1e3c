"""Which spellings are one mailbox, and a hash that tells nothing without the key."""

import pytest
from django.conf import settings as django_settings

from notifications.addresses import hash_address, hash_email, normalise_email


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


def test_the_hash_depends_on_key_and_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_address("ada@example.com")
    assert hash_address("ada@example.com", channel="sms") != before
    monkeypatch.setattr(django_settings, "SECRET_KEY", "another key of the platform, long enough")
    assert hash_address("ada@example.com") != before
