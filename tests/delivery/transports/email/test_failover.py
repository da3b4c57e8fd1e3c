"""Several servers, logins, encryption: what is the provider's business and not the delivery's."""

import asyncio
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

from delivery.transports.base import (
    AmbiguousOutcome,
    DeliveryError,
    PermanentFailure,
    ProviderFailure,
    TemporaryFailure,
)
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.servers import standing_providers
from delivery.transports.email.transport import EmailTransport
from tests.delivery.transports.certificates import make_certificate
from tests.delivery.transports.email.sending import PASSWORD, make_transport, transport_to
from tests.delivery.transports.outbounds import make_outbound
from tests.delivery.transports.servers import CLOSE, HANG, free_port, mail_server, smtp_script, tcp_server


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


async def test_a_server_that_dies_is_replaced_by_the_next_and_used_again_when_it_is_back() -> None:
    async with mail_server() as second:
        async with mail_server() as first:
            transport = make_transport(first.port, second.port, server_pause_seconds=0.2)
            payload = transport.render(make_outbound())
            await transport.send(payload)
            port = first.port
        first.drop_connections()
        receipt = await transport.send(payload)
        assert receipt.response["provider"] == f"127.0.0.1:{second.port}"
        async with mail_server(port) as again:
            async with asyncio.timeout(20):
                while not again.mailbox.envelopes:
                    await transport.send(payload)
                    await asyncio.sleep(0.05)
            before = len(second.mailbox.envelopes)
            for _ in range(5):
                await transport.send(payload)
            assert len(second.mailbox.envelopes) == before, "the first one is the first again"
            await transport.aclose()


async def test_while_a_probe_is_out_others_go_by_the_next_server() -> None:
    async with (
        tcp_server(smtp_script(greeting=b"421 4.3.2 overloaded\r\n")) as first,
        mail_server() as second,
        transport_to(first.port, second.port, server_pause_seconds=0.01) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(3):
            await asyncio.gather(*(transport.send(payload) for _ in range(4)))
            await asyncio.sleep(0.1)
        assert len(second.mailbox.envelopes) == 12
        assert 2 <= first.connections <= 4 + 2, "the first four found out together, then one probe each time"


async def test_a_refused_login_goes_by_the_next_server() -> None:
    async with (
        mail_server(auth_require_tls=False, authenticator=lambda *_: AuthResult(success=False, handled=False)) as first,
        mail_server() as second,
    ):
        urls = f"smtp://mailer:{PASSWORD}@127.0.0.1:{first.port}?starttls=0,smtp://127.0.0.1:{second.port}"
        transport = EmailTransport(EmailConf(smtp_urls=urls, from_address="no-reply@carillon.example"))
        news: list[tuple[str, str, bool]] = []
        transport.providers.on_change = lambda config, what, report: news.append(
            (config.name, report.reason, report.pause_seconds > 50)
        )
        for _ in range(3):
            await transport.send(transport.render(make_outbound()))
        await transport.aclose()
    assert len(second.mailbox.envelopes) == 3
    assert len(first.transports) == 1, "it is not asked again and again"
    assert news == [
        (f"127.0.0.1:{first.port}", "authentication_refused", True),
        (f"127.0.0.1:{second.port}", "", False),
    ]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [({"final": b"554 5.3.0 no\r\n"}, "message_refused"), ({"final": b"451 4.3.0 later\r\n"}, "smtp_451")],
)
async def test_a_flood_of_refusals_moves_the_rest_to_the_next_server(answers: dict[str, bytes], reason: str) -> None:
    async with (
        tcp_server(smtp_script(**answers)) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(20):
            with pytest.raises(DeliveryError) as caught:
                await transport.send(payload)
            assert caught.value.reason == reason
            assert caught.value.response["provider"] == f"127.0.0.1:{first.port}"
        for _ in range(5):
            await transport.send(payload)
        assert len(second.mailbox.envelopes) == 5


async def test_a_flood_of_unknown_recipients_is_nobodys_fault() -> None:
    async with (
        tcp_server(smtp_script(RCPT=b"550 5.1.1 nobody\r\n")) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(40):
            with pytest.raises(PermanentFailure):
                await transport.send(payload)
        assert not second.mailbox.envelopes


async def test_a_server_that_refuses_the_sender_is_passed_over_within_the_attempt() -> None:
    async with (
        tcp_server(smtp_script(MAIL=b"553 5.7.1 not yours\r\n")) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        await transport.send(transport.render(make_outbound()))
        assert len(second.mailbox.envelopes) == 1


async def test_when_every_server_refuses_the_sender_nothing_is_to_be_hoped_for() -> None:
    async with (
        tcp_server(smtp_script(MAIL=b"553 5.7.1 not yours\r\n")) as first,
        tcp_server(smtp_script(MAIL=b"550 5.7.1 nor mine\r\n")) as second,
        transport_to(first.port, second.port) as transport,
    ):
        with pytest.raises(PermanentFailure) as caught:
            await transport.send(transport.render(make_outbound()))
    assert caught.value.reason == "sender_refused"


async def test_a_refused_sender_and_a_dead_server_leave_hope() -> None:
    async with (
        tcp_server(smtp_script(MAIL=b"553 5.7.1 not yours\r\n")) as first,
        transport_to(first.port, free_port()) as transport,
    ):
        for _ in range(2):
            with pytest.raises(ProviderFailure):
                await transport.send(transport.render(make_outbound()))


async def test_a_server_that_hangs_at_the_first_word_is_paused_and_the_next_attempt_goes_by_the_next() -> None:
    async with (
        tcp_server(smtp_script(MAIL=HANG)) as first,
        mail_server() as second,
        transport_to(first.port, second.port, timeout_seconds=0.5, connect_timeout_seconds=0.5) as transport,
    ):
        payload = transport.render(make_outbound())
        with pytest.raises(ProviderFailure) as caught:
            await transport.send(payload)
        assert caught.value.reason == "timeout"
        await transport.send(payload)
        assert len(second.mailbox.envelopes) == 1


async def test_a_server_that_falls_silent_again_and_again_is_paused() -> None:
    async with (
        tcp_server(smtp_script(DATA=CLOSE)) as first,
        mail_server() as second,
        transport_to(first.port, second.port) as transport,
    ):
        payload = transport.render(make_outbound())
        for _ in range(5):
            with pytest.raises(TemporaryFailure):
                await transport.send(payload)
        await transport.send(payload)
        assert len(second.mailbox.envelopes) == 1


async def test_a_server_with_a_sender_of_its_own_changes_envelope_and_header() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        (standing,) = transport.providers.standing
        settings = {**standing.settings, "from_address": "shop@example.org"}
        transport.providers.configure([replace(standing, settings=settings)])
        await transport.send(transport.render(make_outbound()))
        transport.providers.configure([standing])
        await transport.send(transport.render(make_outbound()))
    assert [envelope.mail_from for envelope in server.mailbox.envelopes] == [
        "shop@example.org",
        "no-reply@carillon.example",
    ]
    senders = [message_from_bytes(envelope.content)["from"] for envelope in server.mailbox.envelopes]  # type: ignore[arg-type]
    assert senders == ["Carillon <shop@example.org>", "Carillon <no-reply@carillon.example>"]


async def test_a_server_that_allows_one_connection_gets_one() -> None:
    async with mail_server() as server, transport_to(server.port) as transport:
        (standing,) = transport.providers.standing
        transport.providers.configure([replace(standing, settings={**standing.settings, "max_connections": 1})])
        payload = transport.render(make_outbound())
        await asyncio.gather(*(transport.send(payload) for _ in range(8)))
        assert len(server.transports) == 1
    assert len(server.mailbox.envelopes) == 8


async def test_a_configuration_that_is_taken_away_ends_what_is_under_way_and_keeps_nothing() -> None:
    async with mail_server() as first, mail_server() as second, transport_to(first.port) as transport:
        payload = transport.render(make_outbound())
        await transport.send(payload)
        transport.providers.configure(standing_providers(f"smtp://127.0.0.1:{second.port}", want_of_better=False))
        async with asyncio.timeout(20):
            await first.left.wait()
        await transport.send(payload)
        assert (len(first.mailbox.envelopes), len(second.mailbox.envelopes)) == (1, 1)
