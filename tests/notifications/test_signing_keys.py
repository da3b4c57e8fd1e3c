"""Keys in the forms of Standard Webhooks."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from notifications.signing_keys import check_secret, make_keys, new_key_pair, new_secret


def test_a_key_pair_is_one() -> None:
    private, public = new_key_pair()
    assert (private[:5], public[:5]) == ("whsk_", "whpk_")
    raw = base64.b64decode(private[5:], validate=True)
    assert raw[32:] == base64.b64decode(public[5:], validate=True)
    assert Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key().public_bytes_raw() == raw[32:]
    assert new_key_pair()[0] != private


@pytest.mark.parametrize(
    ("scheme", "prefixes"), [("v1", ["whsec_"]), ("v1a", ["whsk_"]), ("both", ["whsec_", "whsk_"])]
)
def test_a_ring_holds_what_the_scheme_signs_with(scheme: str, prefixes: list[str]) -> None:
    keys = make_keys(scheme)
    assert [key[: key.index("_") + 1] for key in keys.ring.split()] == prefixes
    assert (keys.secret is not None) is ("whsec_" in prefixes)
    assert bool(keys.public_key) is ("whsk_" in prefixes)


def test_an_own_secret_is_taken() -> None:
    own = new_secret()
    assert (make_keys("v1", own).ring, make_keys("both", own).secret) == (own, own)


@pytest.mark.parametrize("size", [24, 32, 64])
def test_good_secrets(size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    assert check_secret(secret) == secret
    Webhook(secret)


FIXED = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!",
        "whsec_ä",
        FIXED.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        FIXED.replace("whsec_", "whsk_"),
        FIXED + "\n",
        "whsec_" + FIXED,
    ],
)
def test_bad_secrets_are_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and the base64") as caught:
        check_secret(secret)
    assert len(secret) < 10 or secret not in str(caught.value)
