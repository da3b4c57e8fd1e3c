"""Mails with files, from a real host by https to a real SMTP server, read back by the standard library."""

import email.policy
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from delivery.transports.base import Attachment, Content, DeliveryError, PermanentFailure, TemporaryFailure
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.email.signing import signing_key, verdicts
from tests.delivery.transports.file_servers import FileServer, file_server, resolver
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import MailServer, mail_server

PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90400000000002c00000000010001000002024401003b")


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileServer]:
    async with file_server(tmp_path) as running:
        running.files |= {"/a.pdf": b"%PDF-1.7 " + bytes(range(256)), "/logo.gif": PIXEL, "/big": b"x" * 6_000_000}
        yield running


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server(data_size_limit=50_000_000) as running:
        yield running


@pytest.fixture
async def transport(files: FileServer, mails: MailServer) -> AsyncIterator[EmailTransport]:
    conf = EmailConf(
        smtp_urls=f"smtp://127.0.0.1:{mails.port}", from_address="no-reply@carillon.example", fetch=files.conf()
    )
    made = EmailTransport(conf, resolver=resolver())
    yield made
    await made.aclose()


def with_files(*attachments: Attachment, body: str = "Here.", **changes: Any) -> Any:
    return make_outbound(content=Content(title="Files", body=body, attachments=attachments), **changes)


def pdf(files: FileServer, **changes: Any) -> Attachment:
    values = {"name": "offer.pdf", "url": files.url("/a.pdf"), "media_type": "application/pdf"}
    return Attachment(**values | changes)


def logo(files: FileServer) -> Attachment:
    return Attachment(name="logo.gif", url=files.url("/logo.gif"), media_type="image/gif", inline="logo")


def read(mails: MailServer) -> EmailMessage:
    message = message_from_bytes(mails.mailbox.envelopes[-1].original_content or b"", policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


async def failure(transport: EmailTransport, outbound: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await transport.send(transport.render(outbound))
    return caught.value


async def test_a_file_arrives_as_it_is(transport: EmailTransport, files: FileServer, mails: MailServer) -> None:
    await transport.send(transport.render(with_files(pdf(files))))
    message = read(mails)
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in message.iter_parts()] == ["multipart/alternative", "application/pdf"]
    (part,) = message.iter_attachments()
    assert part.get_filename() == "offer.pdf"
    assert part.get_content() == files.files["/a.pdf"]
    assert message["subject"] == "Files"
    assert message.keys().count("MIME-Version") == 1


async def test_an_image_stands_in_the_text(transport: EmailTransport, files: FileServer, mails: MailServer) -> None:
    await transport.send(transport.render(with_files(logo(files), pdf(files), body="![our logo](cid:logo)")))
    message = read(mails)
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html",
                     "image/gif", "application/pdf"]  # fmt: skip
    html, image = message.get_body(("html",)), next(part for part in message.walk() if part["content-id"])
    assert html is not None
    assert 'src="cid:logo"' in html.get_content()
    assert (image["content-id"], image.get_content_disposition()) == ("<logo>", "inline")
    assert image.get_content() == PIXEL  # type: ignore[attr-defined]


async def test_only_images_that_go_along_are_shown(
    transport: EmailTransport, files: FileServer, mails: MailServer
) -> None:
    body = "![a](cid:logo) ![b](cid:other) [c](cid:logo) ![d](CID:other) ![e](https://a.example/e.png)"
    await transport.send(transport.render(with_files(logo(files), body=body)))
    html = read(mails).get_body(("html",))
    assert html is not None
    text = html.get_content()
    assert text.lower().count("cid:") == 1
    assert 'src="https://a.example/e.png"' in text
    await transport.send(transport.render(make_outbound(content=Content(title="t", body=body))))
    html = read(mails).get_body(("html",))
    assert html is not None
    assert "cid:" not in html.get_content().lower()


async def test_odd_names_arrive(transport: EmailTransport, files: FileServer, mails: MailServer) -> None:
    names = ["Übersicht Größe.pdf", 'the "best" offer; v=2.pdf', "名" * 80 + ".pdf", "x" * 251 + ".pdf"]
    await transport.send(transport.render(with_files(*(pdf(files, name=name) for name in names))))
    assert [part.get_filename() for part in read(mails).iter_attachments()] == names
    sent = mails.mailbox.envelopes[-1].original_content or b""
    assert max(map(len, sent.split(b"\r\n"))) <= 998
    assert sent.isascii()


async def test_a_signed_mail_with_files_verifies(
    transport: EmailTransport, files: FileServer, mails: MailServer
) -> None:
    keys = (signing_key("rsa"), signing_key("ed25519"))
    await transport.send(transport.render(with_files(logo(files), pdf(files), signing_keys=keys)))
    assert verdicts(mails.mailbox.envelopes[-1].original_content or b"") == [True, True]


async def test_a_broadcast_is_put_together_once(
    transport: EmailTransport, files: FileServer, mails: MailServer
) -> None:
    for name in ("ada", "bob", "eve"):
        await transport.send(transport.render(with_files(pdf(files), address=f"{name}@example.com")))
    assert files.asked["/a.pdf"] == 1
    bodies = {(envelope.original_content or b"").partition(b"Subject:")[2] for envelope in mails.mailbox.envelopes}
    assert len(mails.mailbox.envelopes) == 3
    assert len(bodies) == 1


async def test_a_file_that_cannot_be_had_now(transport: EmailTransport, files: FileServer, mails: MailServer) -> None:
    error = await failure(transport, with_files(pdf(files), pdf(files, url=files.url("/gone"))))
    assert isinstance(error, TemporaryFailure)
    assert (error.reason, error.response) == ("attachment_unavailable", {"error": "status", "status": 404})
    assert mails.mailbox.envelopes == []


async def test_all_files_together_have_a_limit(transport: EmailTransport, files: FileServer, mails: MailServer) -> None:
    big = pdf(files, url=files.url("/big"))
    await transport.send(transport.render(with_files(big)))
    assert len(mails.mailbox.envelopes) == 1
    error = await failure(transport, with_files(big, big))
    assert isinstance(error, PermanentFailure)
    assert error.reason == "attachments_too_large"
    assert len(mails.mailbox.envelopes) == 1


async def test_a_forbidden_address_is_refused_for_good(
    transport: EmailTransport, files: FileServer, mails: MailServer
) -> None:
    error = await failure(transport, with_files(pdf(files, url="https://169.254.169.254/latest/meta-data")))
    assert isinstance(error, PermanentFailure)
    assert error.reason == "attachment_refused"
    assert mails.mailbox.envelopes == []
