"""The email transport against real and against rude SMTP servers."""

import asyncio
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from delivery.transports.base import (
    AmbiguousOutcome,
    Content,
    DeliveryError,
    Outbound,
    PermanentFailure,
    ProviderFailure,
    TemporaryFailure,
)
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.contract import TransportContract
from tests.delivery.transports.email.sending import PASSWORD, failure_with, transport_to
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import CLOSE, HANG, free_port, mail_server, smtp_script, tcp_server


class TestContract(TransportContract):
    port = 0

    def make_transport(self) -> EmailTransport:
        self.port = self.port or free_port()
        return EmailTransport(
            EmailConf(
                smtp_urls=f"smtp://mailer:{PASSWORD}@127.0.0.1:{self.port}?starttls=0",
                from_address="no-reply@carillon.example",
            )
        )

    @asynccontextmanager
    async def serving(self, **answers: str) -> AsyncIterator[Outbound]:
        async with mail_server(
            self.port,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
        ) as server:
            for name, answer in answers.items():
                setattr(server.mailbox, name, answer)
            yield make_outbound()

    def accepting(self) -> Any:
        return self.serving()

    def refusing(self) -> Any:
        return self.serving(rcpt_answer="450 4.2.1 come back later")

    def absent(self) -> Outbound:
        return make_outbound()

    def broken(self) -> Outbound:
        return make_outbound(address="ada@example.com\r\nBcc: all@example.com")

    def secrets(self) -> tuple[str, ...]:
        return (PASSWORD, "ada@example.com", "kettle")


async def test_one_mail_arrives_as_it_was_meant() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        receipt = await transport.send(transport.render(make_outbound(recipient_name="Ada Müller")))
    (envelope,) = server.mailbox.envelopes
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=email.policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@carillon.example", ["ada@example.com"])
    assert message["to"].addresses[0].display_name == "Ada Müller"
    assert message["subject"] == "Order shipped"
    assert message["message-id"] == "<dlv_0192f3@carillon.example>"
    assert message["auto-submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["date"]).tzinfo is not None
    assert not message.defects
    assert receipt.response == {
        "code": 250,
        "enhanced": "2.0.0",
        "text": "2.0.0 queued as 1",
        "server": f"127.0.0.1:{server.port}",
        "provider": f"127.0.0.1:{server.port}",
    }


async def test_the_message_id_is_the_same_on_every_attempt() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        for attempt in (1, 2):
            await transport.send(transport.render(make_outbound(attempt=attempt)))
    ids = {message_from_bytes(envelope.content)["message-id"] for envelope in server.mailbox.envelopes}  # type: ignore[arg-type]
    assert len(ids) == 1


async def test_lines_that_begin_with_a_dot_arrive() -> None:
    handle_done: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        for answer in (b"250 mx\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"):
            await reader.readuntil(b"\r\n")
            writer.write(answer)
        handle_done.append(await reader.readuntil(b"\r\n.\r\n"))
        writer.write(b"250 OK\r\n")

    content = Content(title="Dots", body="```\n.\n..\n.hidden\n```")
    async with tcp_server(handle) as server, transport_to(server.port) as transport:
        payload = transport.render(make_outbound(content=content))
        await transport.send(payload)
    wire = handle_done[0][: -len(b".\r\n")]
    assert wire.replace(b"\r\n..", b"\r\n.").endswith(payload.head + payload.tail)


async def test_connections_are_kept_and_bounded() -> None:
    async with mail_server() as server, transport_to(server.port, max_connections=3) as transport:
        payload = transport.render(make_outbound())
        await asyncio.gather(*(transport.send(payload) for _ in range(30)))
        assert len(server.mailbox.envelopes) == 30
        assert len(server.transports) <= 3


async def test_a_connection_is_replaced_after_its_share_of_messages() -> None:
    async with (
        mail_server() as server,
        transport_to(server.port, max_connections=1, max_messages_per_connection=4) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(10):
            await transport.send(payload)
        assert len(server.transports) == 3


async def test_an_idle_connection_is_let_go() -> None:
    async with mail_server() as server, transport_to(server.port, max_idle_seconds=0.05) as transport:
        await transport.send(transport.render(make_outbound()))
        await server.left.wait()


async def test_a_connection_closed_by_the_server_while_idle_is_replaced_within_the_attempt() -> None:
    async with mail_server() as server, transport_to(server.port, max_connections=1) as transport:
        payload = transport.render(make_outbound())
        await transport.send(payload)
        server.drop_connections()
        await transport.send(payload)
        # Nothing ran between the server's close and our next use: the client finds out by writing.
        server.drop_connections()
        await asyncio.sleep(0.05)
        await transport.send(payload)
    assert len(server.mailbox.envelopes) == 3


async def test_a_farewell_421_to_an_idle_connection_is_no_failure() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"220 mx\r\n")
        mails = 0
        while line := await reader.readuntil(b"\r\n"):
            verb = line[:4].upper()
            if verb == b"MAIL" and mails:
                writer.write(b"421 4.4.2 idle for too long\r\n")
                return
            if verb == b"DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                mails += 1
            writer.write(b"250 OK\r\n")

    async with tcp_server(handle) as server, transport_to(server.port) as transport:
        payload = transport.render(make_outbound())
        await transport.send(payload)
        await transport.send(payload)
    assert connections == 2


async def test_a_refused_recipient_leaves_the_connection_usable() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        payload = transport.render(make_outbound())
        server.mailbox.rcpt_answer = "550 5.1.1 no such user"
        with pytest.raises(PermanentFailure) as caught:
            await transport.send(payload)
        assert caught.value.reason == "invalid_recipient"
        assert caught.value.response["enhanced"] == "5.1.1"
        server.mailbox.rcpt_answer = "250 OK"
        await transport.send(payload)
        assert len(server.transports) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ({"MAIL": CLOSE}, ProviderFailure, "connection_lost"),
        ({"RCPT": CLOSE}, TemporaryFailure, "connection_lost"),
        ({"DATA": CLOSE}, TemporaryFailure, "connection_lost"),
        ({"final": CLOSE}, AmbiguousOutcome, "no_final_answer"),
        ({"final": b"nonsense\r\n"}, AmbiguousOutcome, "no_final_answer"),
        ({"RCPT": b"nonsense\r\n"}, TemporaryFailure, "bad_response"),
        ({"final": b"451 4.3.0 try later\r\n"}, TemporaryFailure, "smtp_451"),
        ({"final": b"554 5.6.0 no\r\n"}, PermanentFailure, "message_refused"),
        ({"final": b"421 4.3.2 shutting down\r\n"}, ProviderFailure, "server_unavailable"),
        ({"RCPT": b"421 4.3.2 shutting down\r\n"}, ProviderFailure, "server_unavailable"),
        ({"MAIL": b"530 5.7.0 log in first\r\n"}, ProviderFailure, "authentication_refused"),
        ({"greeting": CLOSE}, ProviderFailure, "connect_failed"),
        ({"greeting": b"554 5.7.1 go away\r\n"}, ProviderFailure, "server_unavailable"),
        ({"EHLO": CLOSE}, ProviderFailure, "connect_failed"),
    ],
)
async def test_rude_servers(answers: dict[str, bytes], kind: type[DeliveryError], reason: str) -> None:
    failure = await failure_with(smtp_script(**answers))
    assert (type(failure), failure.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("step", "kind", "reason"),
    [
        ("greeting", ProviderFailure, "connect_timeout"),
        ("EHLO", ProviderFailure, "connect_timeout"),
        ("MAIL", ProviderFailure, "timeout"),
        ("RCPT", TemporaryFailure, "timeout"),
        ("final", AmbiguousOutcome, "no_final_answer"),
    ],
)
async def test_servers_that_hang(step: str, kind: type[DeliveryError], reason: str) -> None:
    script = smtp_script(**{step: HANG})
    failure = await failure_with(script, timeout_seconds=0.5, connect_timeout_seconds=0.2)
    assert (type(failure), failure.reason) == (kind, reason)


async def test_a_connection_that_timed_out_is_not_used_again() -> None:
    async with (
        tcp_server(smtp_script(final=HANG)) as server,
        transport_to(server.port, timeout_seconds=0.2, connect_timeout_seconds=0.2) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(2):
            with pytest.raises(AmbiguousOutcome):
                await transport.send(payload)
        assert server.connections == 2


async def test_unstorable_answers_are_made_storable() -> None:
    failure = await failure_with(smtp_script(RCPT=b"550 5.1.1 \x00 \xff\xfe " + b"x" * 4000 + b"\r\n"))
    text = failure.response["text"]
    assert "\x00" not in text
    assert len(text.encode()) <= 2048


async def test_smtputf8_is_used_where_it_is_offered_and_needed() -> None:
    async with mail_server(enable_SMTPUTF8=True) as server, transport_to(server.port) as transport:
        await transport.send(transport.render(make_outbound(address="jörg@bücher.example")))
        await transport.send(transport.render(make_outbound()))
    first, second = server.mailbox.envelopes
    assert (first.rcpt_tos, first.smtp_utf8) == (["jörg@xn--bcher-kva.example"], True)
    assert second.smtp_utf8 is False
    assert isinstance(first.content, bytes)
    assert "\r\nTo: Ada Lovelace <jörg@xn--bcher-kva.example>\r\n".encode() in first.content


async def test_without_smtputf8_such_an_address_fails_for_good() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        with pytest.raises(PermanentFailure) as caught:
            await transport.send(transport.render(make_outbound(address="jörg@bücher.example")))
        await transport.send(transport.render(make_outbound(address="joerg@bücher.example")))
        assert len(server.transports) == 1
    assert caught.value.reason == "smtputf8_not_supported"
    assert server.mailbox.envelopes[0].rcpt_tos == ["joerg@xn--bcher-kva.example"]


async def test_a_cancelled_send_leaves_no_half_used_connection() -> None:
    async with tcp_server(smtp_script(RCPT=HANG)) as server, transport_to(server.port) as transport:
        payload = transport.render(make_outbound())
        task = asyncio.create_task(transport.send(payload))
        await server.arrived.acquire()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        again = asyncio.create_task(transport.send(payload))
        await server.arrived.acquire()
        again.cancel()
        with pytest.raises(asyncio.CancelledError):
            await again
