"""Caught mail is real mail by real SMTP, kept as a Maildir that others can read, and not for ever."""

import mailbox
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from deploy.mailcatcher import Maildir, start_mail_catcher


async def test_mail_sent_by_smtp_is_found_in_the_maildir(tmp_path: Path) -> None:
    server, url = await start_mail_catcher(tmp_path / "mail")
    message = EmailMessage()
    message["From"] = "carillon@example.com"
    message["To"] = "jörg@example.com"
    message["Subject"] = "Glocke"
    message.set_content("Grüße\n.\n")
    await aiosmtplib.send(
        message.as_bytes(),
        sender="carillon@example.com",
        recipients=["u1@example.com", "u2@example.com"],
        hostname="127.0.0.1",
        port=int(url.rpartition(":")[2]),
        start_tls=False,
    )
    server.close()
    [mail] = mailbox.Maildir(str(tmp_path / "mail"), create=False)
    assert mail["Delivered-To"] == "u1@example.com, u2@example.com"
    assert mail["Subject"] == "Glocke"
    assert mail.get_payload(decode=True).decode().splitlines() == ["Grüße", "."]


def test_only_the_newest_mails_are_kept_in_order_of_arrival(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path, keep=3)
    for number in range(7):
        maildir.add(str(number).encode())
    maildir.prune()
    assert [path.read_text() for path in sorted((tmp_path / "new").iterdir())] == ["4", "5", "6"]


def test_half_written_mail_of_a_crash_is_never_seen_and_goes_away(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path)
    (tmp_path / "tmp" / "half").write_text("hal")
    maildir.add(b"whole")
    assert [path.read_text() for path in (tmp_path / "new").iterdir()] == ["whole"]
    assert list((tmp_path / "tmp").iterdir()) == []
