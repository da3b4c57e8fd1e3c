"""Secrets at rest: encrypted with Fernet keys of which the first seals and all unseal, so that keys can be rotated."""

import functools

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(ValueError):
    """No configured key opens this text: a key was lost, or the text was not sealed here."""


def seal(text: str) -> str:
    """`text`, readable only with CARILLON_ENCRYPTION_KEYS."""
    return _fernet(settings.CARILLON_ENCRYPTION_KEYS).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises `SealBroken`."""
    return _unseal(settings.CARILLON_ENCRYPTION_KEYS, sealed)


def reseal(sealed: str) -> str | None:
    """The same text, sealed with the first key; None when it is already. Raises `SealBroken`."""
    keys = settings.CARILLON_ENCRYPTION_KEYS
    try:
        Fernet(keys[0]).decrypt(sealed.encode())
    except InvalidToken:
        pass
    else:
        return None
    try:
        return _fernet(keys).rotate(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken("no configured key opens this") from None


def looks_sealed(text: str) -> bool:
    """Whether it has the form of what `seal` gives: a Fernet token of our age begins like this."""
    return text.startswith("gAAAA")


@functools.lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


@functools.lru_cache(maxsize=4096)
def _unseal(keys: tuple[str, ...], sealed: str) -> str:
    try:
        return _fernet(keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken("no configured key opens this") from None
