"""Secrets at rest."""

from typing import Any

import pytest
from cryptography.fernet import Fernet

from notifications.sealing import SealBroken, seal, unseal


def test_sealed_is_unreadable_and_comes_back() -> None:
    sealed = seal("whsec_ä")
    assert "whsec" not in sealed
    assert seal("whsec_ä") != sealed
    assert unseal(sealed) == "whsec_ä"


def test_keys_are_rotated_by_putting_a_new_one_first(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.CARILLON_ENCRYPTION_KEYS = (old,)
    before = seal("secret")
    settings.CARILLON_ENCRYPTION_KEYS = (new, old)
    assert unseal(before) == "secret"
    after = seal("secret")
    settings.CARILLON_ENCRYPTION_KEYS = (new,)
    assert unseal(after) == "secret"
    with pytest.raises(SealBroken):
        unseal(before)


@pytest.mark.parametrize("text", ["", "x", "gAAAAA", "ü"])
def test_what_was_not_sealed_here(text: str) -> None:
    with pytest.raises(SealBroken):
        unseal(text)
