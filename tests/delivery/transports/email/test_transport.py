"""The email transport against real and against rude SMTP servers."""

import asyncio
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
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
from tests.delivery.transports.certificates import make_certificate
from tests.delivery.transports.contract import TransportContract
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import CLOSE, HANG, Handle, free_port, mail_server, smtp_script, tcp_server

PASSWORD = "correct-horse-battery"


def make_transport(*ports: int, query: str = "", **changes: Any) -> EmailTransport:
    urls = ",".join(f"smtp://127.0.0.1:{port}{query}" for port in ports)
    return EmailTransport(EmailConf(smtp_urls=urls, from_address="no-reply@carillon.example", **changes))


@asynccontextmanager
async def transport_to(*ports: int, **changes: Any) -> AsyncIterator[EmailTransport]:
    transport = make_transport(*ports, **changes)
    try:
        yield transport
    finally:
        await transport.aclose()


async def failure_with(handle: Handle, **changes: Any) -> DeliveryError:
    """What a send to this scripted server ends in."""
    async with tcp_server(handle) as server, transport_to(server.port, **changes) as transport:
        with pytest.raises(DeliveryError) as caught:
            await transport.send(transport.render(make_outbound()))
        return caught.value


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
        ({"MAIL": CLOSE}, TemporaryFailure, "connection_lost"),
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
        ("MAIL", TemporaryFailure, "timeout"),
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


async def test_the_next_server_takes_over_and_the_first_is_passed_over_for_a_while() -> None:
    async with (
        tcp_server(smtp_script(greeting=b"421 4.3.2 overloaded\r\n")) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        payload = transport.render(make_outbound())
        await transport.send(payload)
        second.drop_connections()
        await asyncio.sleep(0.05)
        await transport.send(payload)
        assert len(second.mailbox.envelopes) == 2
        assert first.connections == 1


@pytest.mark.parametrize(
    "answers", [{"MAIL": b"530 5.7.0 who are you\r\n"}, {"RCPT": b"421 bye\r\n"}, {"final": b"421 bye\r\n"}]
)
async def test_a_server_that_gives_up_in_the_middle_is_followed_by_the_next(answers: dict[str, bytes]) -> None:
    async with (
        tcp_server(smtp_script(**answers)) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        await transport.send(transport.render(make_outbound()))
        assert len(second.mailbox.envelopes) == 1


async def test_after_an_ambiguous_outcome_no_other_server_is_tried() -> None:
    async with (
        tcp_server(smtp_script(final=CLOSE)) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        with pytest.raises(AmbiguousOutcome):
            await transport.send(transport.render(make_outbound()))
        assert not second.mailbox.envelopes


async def test_when_all_servers_are_away_the_failure_says_when_to_come_again() -> None:
    async with transport_to(free_port(), free_port(), server_pause_seconds=30) as transport:
        payload = transport.render(make_outbound())
        reasons = []
        for _ in range(2):
            with pytest.raises(ProviderFailure) as caught:
                await transport.send(payload)
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after <= 30
            reasons.append(caught.value.reason)
    assert reasons == ["connect_failed", "no_server_available"]


async def test_a_refused_login_is_our_own_fault_and_shows_no_password() -> None:
    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    async with mail_server(auth_require_tls=False, authenticator=refuse) as server:
        conf = EmailConf(
            smtp_urls=f"smtp://mailer:{PASSWORD}@127.0.0.1:{server.port}?starttls=0",
            from_address="no-reply@carillon.example",
        )
        transport = EmailTransport(conf)
        with pytest.raises(ProviderFailure) as caught:
            await transport.send(transport.render(make_outbound()))
        await transport.aclose()
    assert caught.value.reason == "authentication_refused"
    assert PASSWORD not in f"{caught.value!r}{caught.value.response}{conf!r}"


async def test_a_password_is_never_sent_without_encryption_unless_told_so() -> None:
    async with mail_server(auth_require_tls=False, authenticator=lambda *_: AuthResult(success=True)) as server:
        transport = EmailTransport(
            EmailConf(
                smtp_urls=f"smtp://mailer:{PASSWORD}@127.0.0.1:{server.port}", from_address="no-reply@carillon.example"
            )
        )
        with pytest.raises(ProviderFailure):
            await transport.send(transport.render(make_outbound()))
        await transport.aclose()
    assert not server.mailbox.envelopes


@pytest.mark.parametrize(
    ("query", "reason"),
    [("", "tls_failed"), ("?starttls=1", "tls_failed"), ("?starttls=1&verify=0", None), ("?starttls=0", None)],
)
async def test_starttls_is_used_when_offered_and_certificates_are_judged(
    tmp_path: Path, query: str, reason: str | None
) -> None:
    _, context = make_certificate(tmp_path, "mx.example")
    async with mail_server(tls_context=context) as server:
        transport = make_transport(server.port, query=query)
        payload = transport.render(make_outbound())
        if reason is None:
            await transport.send(payload)
            assert server.encrypted == [query != "?starttls=0"]
        else:
            with pytest.raises(ProviderFailure) as caught:
                await transport.send(payload)
            assert caught.value.reason == reason
        await transport.aclose()
    assert len(server.mailbox.envelopes) == (reason is None)


async def test_starttls_that_is_demanded_and_not_offered_ends_the_attempt() -> None:
    async with mail_server() as server:
        transport = make_transport(server.port, query="?starttls=1")
        with pytest.raises(ProviderFailure):
            await transport.send(transport.render(make_outbound()))
        await transport.aclose()
    assert not server.mailbox.envelopes


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
