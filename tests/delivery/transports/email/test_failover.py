"""Several servers, logins, encryption: what is the provider's business and not the delivery's."""

import asyncio
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

from delivery.transports.base import (
    AmbiguousOutcome,
    ProviderFailure,
)
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.certificates import make_certificate
from tests.delivery.transports.email.sending import PASSWORD, make_transport, transport_to
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import CLOSE, free_port, mail_server, smtp_script, tcp_server


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
