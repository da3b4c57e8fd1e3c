"""Signatures, judged by dkimpy's verifier on the bytes that a real SMTP server received."""

import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from delivery.transports.base import Content, PermanentFailure, ProviderFailure, SigningKey
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.dkim import hash_body, signatures
from delivery.transports.email.message import render_email
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.email.sending import transport_to
from tests.delivery.transports.email.signing import (
    DOMAIN,
    pem_of,
    records,
    rsa_key,
    signing_key,
    verdicts,
)
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import mail_server

BOTH = (signing_key("rsa"), signing_key("ed25519"))
LINK = "https://carillon.example/u/" + "x" * 900


async def received(*, smtputf8: bool = False, conf: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """The message as the server took it."""
    async with (
        mail_server(enable_SMTPUTF8=smtputf8) as server,
        transport_to(server.port, **(conf or {})) as transport,
    ):
        await transport.send(transport.render(make_outbound(**changes)))
    content = server.mailbox.envelopes[0].original_content
    assert isinstance(content, bytes)
    return content


@pytest.mark.parametrize("keys", [BOTH[:1], BOTH[1:], BOTH], ids=["rsa", "ed25519", "both"])
async def test_what_a_server_receives_verifies(keys: tuple[SigningKey, ...]) -> None:
    message = await received(signing_keys=keys)
    assert verdicts(message) == [True] * len(keys)
    assert re.findall(rb" a=([a-z0-9-]+);", message) == [f"{key.selector}-sha256".encode() for key in keys]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient_name": "Zoë " + "ß" * 120},
        {"recipient_name": 'Ada "the first" \\ Lovelace, Countess'},
        {"content": Content(title="Überraschung " + "ä" * 300, body="Grüße 🔔\n\n" + "wort " * 5000)},
        {"content": Content(title="dots", body=".\n\n..\n\n.hidden\n")},
        {"content": Content(title="", body="   \n\n   trailing   \n\n\n\n")},
        {"unsubscribe_url": LINK, "thread_id": "a" * 32},
        {"address": "ada@" + "verylonglabel." * 17 + "example"},
    ],
    ids=["8-bit name", "quoted name", "8-bit text", "dots", "spaces", "long headers", "long address"],
)
async def test_every_kind_of_message_verifies(changes: dict[str, Any]) -> None:
    message = await received(signing_keys=BOTH, **changes)
    assert verdicts(message) == [True, True]
    assert max(map(len, message.split(b"\r\n"))) <= 998


async def test_an_international_address_verifies() -> None:
    message = await received(smtputf8=True, signing_keys=BOTH, address="jörg@bücher.example", recipient_name=None)
    assert "To: jörg@xn--bcher-kva.example\r\n".encode() in message
    assert verdicts(message) == [True, True]


@given(title=st.text(max_size=200), name=st.text(max_size=100), body=st.text(max_size=300))
def test_whatever_is_said_verifies(title: str, name: str, body: str) -> None:
    outbound = make_outbound(content=Content(title=title, body=body), recipient_name=name, unsubscribe_url=LINK)
    try:
        payload = render_email(outbound, sender_header=f"Carillon <no-reply@{DOMAIN}>", domain=DOMAIN)
    except PermanentFailure:
        return
    head = b"Date: Tue, 24 Nov 2026 19:00:00 +0000\r\n" + payload.head
    message = signatures(BOTH[1:], head + payload.tail.headers, payload.tail.body_hash) + head + payload.tail
    assert verdicts(message) == [True]


async def test_all_that_is_said_is_signed() -> None:
    message = await received(signing_keys=BOTH[:1], unsubscribe_url=LINK, thread_id="abc")
    headers = [name.lower() for name, _ in dkim.rfc822_parse(message)[0] if name.lower() != b"dkim-signature"]
    signature = re.sub(rb"\s", b"", message[: message.index(b"\r\nDate:")])
    signed = re.search(rb";h=([^;]+);", signature)[1].split(b":")  # type: ignore[index]
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted",
                 "References", "In-Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"):  # fmt: skip
        assert name.lower().encode() in signed
    assert set(headers) <= set(signed)
    assert signed.count(b"from") == 2


@pytest.mark.parametrize(
    "changed",
    [
        lambda message: message.replace(b"Subject: Order", b"Subject: Reorder"),
        lambda message: message.replace(b"List-Unsubscribe: <https://carillon", b"List-Unsubscribe: <https://other"),
        lambda message: message.replace(b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Past: "),
        lambda message: message.replace(b"kettle", b"cattle"),
        lambda message: message.replace(b"\r\nTo:", b"\r\nFrom: someone@else.example\r\nTo:"),
        lambda message: message.replace(b"\r\nTo:", b"\r\nSubject: another\r\nTo:"),
        lambda message: message.replace(b"\r\nTo:", b"\r\nReply-To: someone@else.example\r\nTo:"),
    ],
    ids=["subject", "link", "one-click", "body", "second from", "second subject", "reply-to"],
)
async def test_what_was_changed_does_not_verify(changed: Any) -> None:
    message = await received(signing_keys=BOTH, unsubscribe_url="https://carillon.example/u/x")
    assert verdicts(message) == [True, True]
    forged = changed(message)
    assert forged != message
    assert verdicts(forged) == [False, False]


def test_a_replaced_body_is_found_by_its_hash() -> None:
    assert hash_body(b"a  b \r\n\r\n\r\n") == hash_body(b"a b\r\n")
    assert hash_body(b"a b\r\n") != hash_body(b"a c\r\n")


async def test_keys_of_other_domains_do_not_sign() -> None:
    other = replace(BOTH[0], domain="other.example")
    assert verdicts(await received(signing_keys=(other,))) == []
    assert len(verdicts(await received(signing_keys=(other, BOTH[1])))) == 1


async def test_keys_from_files_sign_where_the_delivery_brings_none() -> None:
    configured = {"signing_keys": (signing_key("rsa", form=PrivateFormat.TraditionalOpenSSL),)}
    assert verdicts(await received(conf=configured)) == [True]
    message = await received(conf=configured, signing_keys=BOTH[1:])
    assert verdicts(message) == [True]
    assert b"a=ed25519-sha256" in message


async def test_a_longest_domain_verifies() -> None:
    domain = "a" * 27 + "." + "b" * 27 + ".example"
    assert len(domain) == 63
    key = signing_key("rsa", domain)
    head = f"From: no-reply@{domain}\r\nSubject: x\r\n".encode()
    message = signatures((key,), head, hash_body(b"x\r\n")) + head + b"\r\nx\r\n"
    assert verdicts(message, records(domain)) == [True]


async def test_a_key_that_cannot_be_read_stops_the_mail() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        broken = SigningKey(DOMAIN, "rsa", "")
        with pytest.raises(ProviderFailure) as caught:
            await transport.send(transport.render(make_outbound(signing_keys=(broken,))))
    assert caught.value.reason == "dkim_key_unreadable"
    assert server.mailbox.envelopes == []


@pytest.mark.parametrize(
    "key",
    [
        SigningKey("carillon.example", "s", "no key"),
        SigningKey("carillon.example", "s", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"),
        SigningKey("bücher.example", "s", pem_of(rsa_key())),
        SigningKey("carillon.example", "s s", pem_of(rsa_key())),
        SigningKey("a" * 64, "s", pem_of(rsa_key())),
    ],
)
def test_a_useless_key_is_refused_with_the_configuration(key: SigningKey) -> None:
    with pytest.raises(ValueError, match="DKIM key") as caught:
        EmailConf(smtp_urls="smtp://localhost", from_address=f"no-reply@{DOMAIN}", signing_keys=(key,))
    assert "secret" not in str(caught.value)


def test_a_private_key_is_in_no_repr() -> None:
    conf = EmailConf(smtp_urls="smtp://localhost", from_address=f"no-reply@{DOMAIN}", signing_keys=BOTH)
    payload = EmailTransport(conf).render(make_outbound(signing_keys=BOTH))
    for shown in (repr(BOTH), repr(conf), repr(payload), repr(make_outbound(signing_keys=BOTH))):
        assert "PRIVATE" not in shown


def test_a_broadcast_hashes_its_body_once() -> None:
    first, second = (
        render_email(make_outbound(address=address), sender_header="x", domain=DOMAIN)
        for address in ("a@example.com", "b@example.com")
    )
    assert first.tail.body_hash is second.tail.body_hash


def test_who_does_not_sign_does_not_load_what_signs() -> None:
    code = "import delivery.transports.email.transport, sys; print('dkim' in sys.modules, 'nacl' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


async def test_another_key_in_the_name_server_does_not_verify() -> None:
    message = await received(signing_keys=BOTH[:1])
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert verdicts(message, {b"rsa._domainkey.carillon.example.": b"v=DKIM1; p=" + b64encode(der)}) == [False]
