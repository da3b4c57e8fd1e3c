"""What a real Postfix takes, queues and puts into a Maildir is whole, and its signatures still verify."""

import asyncio
import email.policy
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

from delivery.transports.base import Attachment, Content
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.email.signing import signing_key, verdicts
from tests.delivery.transports.file_servers import file_server, resolver
from tests.delivery.transports.outbounds import make_outbound
from tests.fixtures.postfix import Postfix

KEYS = (signing_key("rsa"), signing_key("ed25519"))
LINK = "https://carillon.example/u/" + "x" * 400


@pytest.fixture
async def transport(postfix: Postfix) -> AsyncIterator[EmailTransport]:
    conf = EmailConf(smtp_urls=f"smtp://127.0.0.1:{postfix.port}", from_address="no-reply@carillon.example")
    made = EmailTransport(conf, resolver=resolver())
    yield made
    await made.aclose()


async def arrived(postfix: Postfix, count: int) -> list[bytes]:
    """The mails with the line ends they had on the way; the Maildir has Unix ones."""
    found = await asyncio.to_thread(postfix.mails, count)
    return [mail.replace(b"\n", b"\r\n") for mail in found]


def parse(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


async def test_signed_mail_arrives_whole(postfix: Postfix, transport: EmailTransport) -> None:
    outbounds = [
        make_outbound(signing_keys=KEYS, unsubscribe_url=LINK, thread_id="a" * 32),
        make_outbound(signing_keys=KEYS, delivery_id="dlv_2", recipient_name="Zoë " + "ß" * 90),
        make_outbound(
            signing_keys=KEYS,
            delivery_id="dlv_3",
            content=Content(title="Überraschung " + "ä" * 200, body=".\n\n..\n\nFrom here\n\n" + "wort " * 3000),
        ),
    ]
    for outbound in outbounds:
        receipt = await transport.send(transport.render(outbound))
        assert receipt.response["code"] == 250
    mails = await arrived(postfix, 3)
    assert [verdicts(mail) for mail in mails] == [[True, True]] * 3
    first = next(message for mail in mails if (message := parse(mail))["x-carillon-delivery"] == "dlv_0192f3")
    assert first["message-id"] == "<dlv_0192f3@carillon.example>"
    assert first["list-unsubscribe"] == f"<{LINK}>"
    assert first["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


async def test_international_addresses(postfix: Postfix, transport: EmailTransport) -> None:
    await transport.send(transport.render(make_outbound(signing_keys=KEYS, address="jörg@bücher.example")))
    (mail,) = await arrived(postfix, 1)
    assert verdicts(mail) == [True, True]
    assert "Delivered-To: jörg@xn--bcher-kva.example".encode() in mail or "jörg@".encode() in mail


async def test_files(postfix: Postfix, tmp_path: Path) -> None:
    async with file_server(tmp_path) as files:
        files.files["/a.bin"] = bytes(range(256)) * 8000
        conf = EmailConf(
            smtp_urls=f"smtp://127.0.0.1:{postfix.port}", from_address="no-reply@carillon.example", fetch=files.conf()
        )
        transport = EmailTransport(conf, resolver=resolver())
        file = Attachment(name="Größe.bin", url=files.url("/a.bin"), media_type="application/octet-stream")
        content = Content(title="File", body="Here.", attachments=(file,))
        await transport.send(transport.render(make_outbound(signing_keys=KEYS, content=content)))
        await transport.aclose()
    (mail,) = await arrived(postfix, 1)
    assert verdicts(mail) == [True, True]
    (part,) = parse(mail).iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("Größe.bin", files.files["/a.bin"])
