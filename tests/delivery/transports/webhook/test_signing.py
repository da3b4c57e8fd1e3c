"""Signatures, checked by the package of the specification's authors."""

import base64

import pytest
from standardwebhooks import Webhook

from delivery.transports.webhook.signing import InvalidSecret, decode_secret, generate_secret, sign
from tests.delivery.transports.outbounds import SECRET


def test_the_specifications_own_example() -> None:
    signature = sign(
        keys=[decode_secret(SECRET)],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_is_accepted_and_never_the_same() -> None:
    assert len({generate_secret() for _ in range(100)}) == 100
    assert len(decode_secret(generate_secret())) == 32
    Webhook(generate_secret())


def test_during_a_rotation_every_secret_signs() -> None:
    secrets = [generate_secret(), generate_secret()]
    signature = sign(keys=[decode_secret(secret) for secret in secrets], message_id="m", timestamp=1, body=b"{}")
    assert len(signature.split(" ")) == 2
    assert signature.split(" ")[0] == sign(keys=[decode_secret(secrets[0])], message_id="m", timestamp=1, body=b"{}")


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(),
     "whsec_" + base64.b64encode(b"x" * 65).decode(), "whsec_é", SECRET + "\n"],
)  # fmt: skip
def test_a_broken_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        decode_secret(secret)
    assert len(secret) < 10 or secret not in str(caught.value)
