"""Signatures, checked by the package of the specification's authors."""

import base64
import json
import shutil
import subprocess
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from delivery.transports.webhook.signing import (
    InvalidSecret,
    decode_key,
    decode_secret,
    generate_secret,
    scheme_of,
    sign,
)
from notifications.signing_keys import new_key_pair
from tests.delivery.transports.outbounds import SECRET

# The key pair whose `v1a` signature the specification shows as its example of the header (over the message of Svix's own test).
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
_VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
"""


def verify_v1a(public_key: str, message_id: str, timestamp: int, body: bytes, signature: str) -> None:
    """As the specification says it, with nothing of ours. Raises InvalidSignature."""
    assert public_key.startswith("whpk_")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key[5:], validate=True))
    ours = [part[4:] for part in signature.split(" ") if part.startswith("v1a,")]
    assert ours
    key.verify(base64.b64decode(ours[0], validate=True), f"{message_id}.{timestamp}.".encode() + body)


def test_the_specifications_own_example() -> None:
    signature = sign(
        keys=[decode_secret(SECRET)],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_specifications_example_of_v1a() -> None:
    body = b'{"test": 2432232314}'
    signature = sign(
        keys=[decode_key(SECRET), decode_key(PRIVATE)],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=body,
    )
    assert signature.split(" ") == [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    ]
    verify_v1a(PUBLIC, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, signature)


def test_v1a_is_verified_with_the_public_key_alone() -> None:
    private, public = new_key_pair()
    signature = sign(keys=[decode_key(private)], message_id="dlv_1", timestamp=7, body=b'{"a":1}')
    verify_v1a(public, "dlv_1", 7, b'{"a":1}', signature)
    for message_id, timestamp, body in (("dlv_2", 7, b'{"a":1}'), ("dlv_1", 8, b'{"a":1}'), ("dlv_1", 7, b'{"a":2}')):
        with pytest.raises(InvalidSignature):
            verify_v1a(public, message_id, timestamp, body, signature)
    with pytest.raises(InvalidSignature):
        verify_v1a(new_key_pair()[1], "dlv_1", 7, b'{"a":1}', signature)


def test_keys_say_their_scheme() -> None:
    assert [scheme_of(decode_key(key)) for key in (SECRET, PRIVATE)] == ["v1", "v1a"]


@pytest.mark.parametrize(
    "secret",
    ["whsk_", "whsk_!!!!", "whsk_é", "whsk_" + base64.b64encode(b"x" * 32).decode(), PRIVATE + "\n",
     "whsk_" + base64.b64encode(b"x" * 64).decode(), PUBLIC],
)  # fmt: skip
def test_a_broken_private_key_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        decode_key(secret)
    assert len(secret) < 10 or secret not in str(caught.value)


def test_the_npm_package_accepts_what_we_sign() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    found = subprocess.run([node, "-e", "require.resolve('standardwebhooks')"], capture_output=True)
    if found.returncode:
        pytest.skip(
            "node does not find the package: `npm install standardwebhooks` in a folder and set NODE_PATH to it"
        )
    body, now, secrets = '{"type":"ping","title":"Größe ✓"}', int(time.time()), [generate_secret(), generate_secret()]
    keys = [*map(decode_key, secrets), decode_key(new_key_pair()[0])]
    signature = sign(keys=keys, message_id="dlv_1", timestamp=now, body=body.encode())
    headers = {"webhook-id": "dlv_1", "webhook-timestamp": str(now), "webhook-signature": signature}

    def verified(secret: str) -> bool:
        given = json.dumps({"secret": secret, "body": body, "headers": headers})
        done = subprocess.run([node, "-e", _VERIFY], input=given, capture_output=True, text=True)
        return done.returncode == 0 and json.loads(done.stdout) == json.loads(body)

    assert [verified(secret) for secret in (*secrets, generate_secret())] == [True, True, False]


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
