"""Mail from the accepted notification to a real SMTP server: signed, with its thread, its way out and its files."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.conf import DeliveryConf, TransportSettings
from delivery.dkim_keys import create_dkim_key
from delivery.models import DkimKey
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from notifications.executor import in_thread
from notifications.models import RecipientPreferences
from notifications.services.unsubscriptions import unsubscribe_by_link
from notifications.unsubscribe_links import read_token
from tests.delivery.test_engine import running, with_email
from tests.delivery.transports.email.signing import verdicts
from tests.delivery.transports.file_servers import file_server, resolver
from tests.delivery.world import World
from tests.fixtures.receivers import Mail, SmtpReceiver

PUBLIC = "https://bell.example"


class NamedEmailTransport(EmailTransport):
    """Asks a name server that knows the test's hosts."""

    def __init__(self, conf: EmailConf) -> None:
        super().__init__(conf, resolver=resolver())


async def sent(world: World, receiver: SmtpReceiver, *submissions: dict[str, Any]) -> list[Mail]:
    """The mails that these submissions become, in their order."""
    async with running(with_email(receiver.port)):
        for number, submission in enumerate(submissions, 1):
            recipient = {"id": "u1", "email": "u1@example.com"}
            notification = await world.accept(submission.pop("to", [recipient]), ["email"], **submission)
            await world.wait_for_states(notification, "sent")
            receiver.mails.wait_for(number)
    return receiver.mails.all()


async def test_a_key_in_the_database_signs(world: World, smtp_receiver: SmtpReceiver, settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    keys = [
        await in_thread(create_dkim_key, domain="example.org", selector=name, algorithm=algorithm, active=True)
        for name, algorithm in (("one", DkimKey.Algorithm.RSA), ("two", DkimKey.Algorithm.ED25519))
    ]
    (mail,) = await sent(world, smtp_receiver, {"category": "news", "thread": "ticket-42"})
    known = {f"{key.record_name}.".encode(): key.public_record.encode() for key in keys}
    assert verdicts(mail.raw, known) == [True, True]
    signature = re.sub(r"\s", "", str(mail.message["dkim-signature"]))
    assert "d=example.org" in signature
    assert ":list-unsubscribe:list-unsubscribe-post:" in signature


async def test_the_way_out(world: World, smtp_receiver: SmtpReceiver, settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    mails = await sent(
        world, smtp_receiver, {"category": "news"}, {"category": "news", "critical": True}, {}, {"category": "news"}
    )
    first, critical, plain, again = (mail.message for mail in mails)
    link = re.fullmatch(rf"<{PUBLIC}/u/([A-Za-z0-9_-]+)>", first["list-unsubscribe"])
    assert link is not None
    assert first["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    said = read_token(link[1])
    (row,) = await world.rows("SELECT id FROM notifications_recipient WHERE external_id = 'u1'")
    assert (said.project_id, said.recipient_pk, said.category) == (world.project_id, row["id"], "news")
    assert again["list-unsubscribe"] == first["list-unsubscribe"]
    for message in (critical, plain):
        assert message["list-unsubscribe"] is message["list-unsubscribe-post"] is None
    assert b"\r\nList-Unsubscribe: <https://" in mails[0].raw  # not folded, not encoded


async def test_without_tls_the_link_is_a_page_only(world: World, smtp_receiver: SmtpReceiver, settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    (mail,) = await sent(world, smtp_receiver, {"category": "news"})
    assert mail.message["list-unsubscribe"].startswith("<http://127.0.0.1:8000/u/")
    assert mail.message["list-unsubscribe-post"] is None


async def test_a_thread_per_recipient(world: World, smtp_receiver: SmtpReceiver) -> None:
    bob = [{"id": "u2", "email": "u2@example.com"}]
    mails = await sent(
        world,
        smtp_receiver,
        {"thread": "ticket-42"},
        {"thread": "ticket-42"},
        {"thread": "ticket-43"},
        {"thread": "ticket-42", "to": bob},
        {},
    )
    one, again, other, bobs, none = (mail.message for mail in mails)
    assert re.fullmatch(r"<thread\.[0-9a-f]{32}@example\.org>", one["references"])
    assert one["references"] == one["in-reply-to"] == again["references"]
    assert len({one["references"], other["references"], bobs["references"]}) == 3
    assert none["references"] is none["in-reply-to"] is None
    assert len({mail.message["message-id"] for mail in mails}) == 5


async def test_a_thread_and_files_are_told_to_who_asks(world: World) -> None:
    file = {"name": "a.pdf", "url": "https://files.example/a.pdf"}
    notification = await world.accept(
        ["u1"], ["email"], thread="t", content={"title": "x", "body": "", "attachments": [file]}
    )
    row = await world.notification(notification)
    assert row["thread"] == "t"
    assert row["content"]["attachments"] == [file]


@pytest.mark.parametrize(
    ("path", "state", "reason"), [("/a.pdf", "sent", "accepted"), ("/gone", "failed", "attachment_unavailable")]
)
async def test_files(
    world: World, smtp_receiver: SmtpReceiver, tmp_path: Path, path: str, state: str, reason: str
) -> None:
    async with file_server(tmp_path) as files:
        files.files["/a.pdf"] = b"%PDF"
        conf = named_hosts(with_email(smtp_receiver.port), files.conf(keep_failures_seconds=0))
        async with running(conf):
            attachment = {"name": "offer.pdf", "url": files.url(path)}
            notification = await world.accept(
                [{"id": "u1", "email": "u1@example.com"}],
                ["email"],
                content={"title": "Offer", "body": "", "attachments": [attachment]},
            )
            (row,) = await world.wait_for_states(notification, "sent", "failed")
    assert (row["state"], row["reason"]) == (state, reason)
    assert row["attempt_count"] == (1 if state == "sent" else 3)
    found = [part.get_filename() for mail in smtp_receiver.mails.all() for part in mail.message.iter_attachments()]
    assert found == (["offer.pdf"] if state == "sent" else [])


def named_hosts(conf: DeliveryConf, fetch: Any) -> DeliveryConf:
    """The same installation where `files.test` is a host of this machine."""
    email = conf.transports["email"]
    settings = TransportSettings(
        path="tests.delivery.test_mail.NamedEmailTransport", conf=replace(email.conf, fetch=fetch)
    )
    return replace(conf, transports={"email": settings}, retry_seconds={"email": (0.05, 0.05)})


async def test_international_addresses(world: World, smtp_receiver: SmtpReceiver, settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC
    await in_thread(
        create_dkim_key, domain="example.org", selector="one", algorithm=DkimKey.Algorithm.ED25519, active=True
    )
    to = [{"id": "u1", "email": "jörg@bücher.example", "name": "Jörg"}]
    (mail,) = await sent(world, smtp_receiver, {"to": to, "category": "news"})
    assert mail.recipients == ["jörg@xn--bcher-kva.example"]
    assert "Jörg".encode() not in mail.raw  # a name can always be said in ASCII
    (key,) = await world.rows("SELECT public_record FROM delivery_dkimkey")
    assert verdicts(mail.raw, {b"one._domainkey.example.org.": key["public_record"].encode()}) == [True]
    link = read_token(mail.message["list-unsubscribe"].strip("<>").rpartition("/")[2])
    assert await in_thread(unsubscribe_by_link, link, source=RecipientPreferences.Source.ONE_CLICK)
