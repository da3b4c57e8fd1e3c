"""Email by SMTP, over kept connections.

sends       one message per delivery to one recipient: `multipart/alternative`, text and HTML made from the Markdown
            body, a button when there is an `action_url`; `Message-ID` is `<delivery id@domain of from_address>`, the
            same on every attempt; `Auto-Submitted: auto-generated`; `List-Unsubscribe` with one click (RFC 8058);
            `References` where there is a thread; attachments; DKIM signatures by the keys of the sender's domain
address     `local@domain`, at most 254 bytes; a domain beyond ASCII becomes its IDNA form, a local part beyond ASCII
            needs a server that offers SMTPUTF8
options     `EmailConf`: seconds are in the names of the fields; servers are providers, explained in `servers.py` and `urls.py`
success     250 after the closing dot
temporary   4yz, a broken connection, no answer in time; `no_final_answer` (ambiguous) once the dot was written
provider    a server that cannot be reached, refuses the login, says 421, or falls silent before it has heard whom the
            mail is for: it is paused, the next one is tried, and when none is left the failure burns no attempt. A
            server in trouble too often is paused as well (`health.py`); one that refuses the sender is passed over.
            `dkim_key_unreadable`, since unsigned mail would harm the domain
files       `attachment_unavailable` (temporary) when one cannot be fetched now; `attachment_refused`,
            `attachments_too_large` (permanent)
permanent   5yz by the table in `outcomes.py`; `invalid_address`, `smtputf8_not_supported`, `unrenderable`
repeats     a kept connection that the server had closed meanwhile is replaced at once, within the same attempt
"""

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime
from typing import ClassVar

import aiosmtplib

from delivery.transports.base import DeliveryError, Outbound, PermanentFailure, ProviderFailure, Receipt
from delivery.transports.email.addresses import parse_mailbox
from delivery.transports.email.attachments import Enclosing
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.connection import Refused, SmtpConnection
from delivery.transports.email.message import EmailPayload, Tail, mailbox_header, render_email
from delivery.transports.email.outcomes import (
    SENDER_REFUSED,
    Step,
    came_to,
    describe,
    failure_of_reply,
    failure_of_silence,
)
from delivery.transports.email.pool import SmtpPool
from delivery.transports.email.servers import server_of, standing_providers
from delivery.transports.email.signing_keys import keys_for
from delivery.transports.email.urls import SmtpServer
from delivery.transports.fetch import Fetcher, unavailable
from delivery.transports.health import CameTo, HealthPolicy, Use
from delivery.transports.providers import Provider, ProviderConfig, ProviderSet
from delivery.transports.resolver import GuardedResolver
from notifications.clock import utc_now


class _StaleConnection(Exception):
    """The server had closed the kept connection; nothing was handed over."""


@dataclass(slots=True)
class _Attempt:
    """How far a send has come, for whoever has to judge it from outside."""

    provider: Provider[SmtpPool] | None = None
    use: Use | None = None
    connection: SmtpConnection | None = None

    @property
    def step(self) -> Step | None:
        return None if self.connection is None else self.connection.step


class EmailTransport:
    """Writes to people by way of somebody's relay."""

    channel: ClassVar[str] = "email"
    conf_class: ClassVar[type[EmailConf]] = EmailConf

    def __init__(self, conf: EmailConf, *, resolver: GuardedResolver | None = None) -> None:
        self.attempt_timeout_seconds = conf.timeout_seconds + 2
        self.max_in_flight = conf.max_connections
        self._conf = conf
        self._sender = parse_mailbox(conf.from_address)
        self._envelope_sender = parse_mailbox(conf.envelope_sender).spec if conf.envelope_sender else None
        self._sender_header = mailbox_header(conf.from_name, self._sender)
        self._fetcher = Fetcher(conf.fetch, resolver)
        self._enclosing = Enclosing(self._fetcher, max_bytes=conf.fetch.max_bytes)
        self.providers: ProviderSet[SmtpPool] = ProviderSet(
            self._make_pool,
            SmtpPool.retire,
            policy=HealthPolicy(
                pause_seconds=conf.server_pause_seconds,
                authentication_pause_seconds=max(conf.authentication_pause_seconds, conf.server_pause_seconds),
                max_pause_seconds=max(conf.max_server_pause_seconds, conf.server_pause_seconds),
            ),
            standing=standing_providers(conf.smtp_urls, want_of_better=conf.is_catcher),
        )

    def _make_pool(self, config: ProviderConfig) -> SmtpPool:
        return SmtpPool(
            server_of(config),
            self._connect,
            max_connections=self._conf.max_connections,
            max_messages_per_connection=self._conf.max_messages_per_connection,
            max_idle_seconds=self._conf.max_idle_seconds,
        )

    def _connect(self, server: SmtpServer) -> SmtpConnection:
        return SmtpConnection(
            server,
            local_hostname=self._conf.local_hostname or self._sender.domain,
            timeout_seconds=self._conf.connect_timeout_seconds,
        )

    def render(self, outbound: Outbound) -> EmailPayload:
        return render_email(outbound, sender_header=self._sender_header, domain=self._sender.domain)

    async def send(self, payload: EmailPayload) -> Receipt:
        deadline = asyncio.get_running_loop().time() + self._conf.timeout_seconds
        tail = payload.tail
        if payload.attachments:
            try:
                async with asyncio.timeout_at(deadline):
                    tail = await self._enclosing.enclose(tail, payload.attachments)
            except TimeoutError:
                raise unavailable("timeout") from None
        attempt = _Attempt()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send(payload, tail, attempt)
        except TimeoutError:
            raise self._judge_timeout(attempt) from None
        finally:
            self._end(attempt, CameTo.NOTHING)

    async def _send(self, payload: EmailPayload, tail: Tail, attempt: _Attempt) -> Receipt:
        """Until a server has judged the message, or none is left that could."""
        date = format_datetime(utc_now()).encode("ascii")
        failure: DeliveryError | None = None
        all_asked = True
        for provider in self.providers.candidates(payload.project_id):
            use = self.providers.begin(provider)
            if use is None:
                all_asked = False
                continue
            attempt.provider, attempt.use, attempt.connection = provider, use, None
            try:
                receipt = await self._ask(provider, payload, date, tail, attempt)
            except DeliveryError as exc:
                exc.response = {**exc.response, "provider": provider.config.name}
                self._end(attempt, came_to(exc, attempt.step), exc.reason)
                if isinstance(exc, ProviderFailure):
                    failure, all_asked = exc, False
                elif exc.reason == SENDER_REFUSED:
                    failure = failure or exc
                else:
                    raise
            else:
                self._end(attempt, CameTo.WORKED)
                return receipt
        if all_asked and failure is not None:
            raise failure
        raise ProviderFailure(
            failure.reason if failure else "no_server_available",
            response=failure.response if failure else None,
            retry_after=self.providers.seconds_until_usable(payload.project_id),
        )

    async def _ask(
        self, provider: Provider[SmtpPool], payload: EmailPayload, date: bytes, tail: Tail, attempt: _Attempt
    ) -> Receipt:
        """One provider; a kept connection that has gone stale is replaced at once."""
        message = self._compose(payload, date, tail, provider.client.server)
        try:
            return await self._try(provider, payload, message, attempt, fresh=False)
        except _StaleConnection:
            attempt.connection = None
            return await self._try(provider, payload, message, attempt, fresh=True)

    def _compose(self, payload: EmailPayload, date: bytes, tail: Tail, server: SmtpServer) -> bytes:
        """The message as it is handed over: dated, from this server's sender, signed where there are keys for its domain."""
        head = payload.head
        if server.sender is not None:
            ours, theirs = (
                f"From: {header}\r\n".encode()
                for header in (self._sender_header, mailbox_header(self._conf.from_name, server.sender))
            )
            head = theirs + head.removeprefix(ours)
        domain = (server.sender or self._sender).domain.lower()
        keys = keys_for(domain, payload.signing_keys, self._conf.signing_keys)
        if not keys:
            return b"Date: %b\r\n%b%b" % (date, head, tail)
        head = b"Date: %b\r\n%b" % (date, head)
        # Not at the top: dkimpy brings dnspython and PyNaCl along, 14 MB that only who signs has to pay.
        from delivery.transports.email.dkim import signatures

        try:
            return signatures(keys, head + tail.headers, tail.body_hash) + head + tail
        except ValueError:
            raise ProviderFailure("dkim_key_unreadable") from None

    def _return_path(self, server: SmtpServer) -> str:
        """MAIL FROM: where bounces are taken, or else who the mail is from."""
        return self._envelope_sender or (server.sender or self._sender).spec

    async def _try(
        self, provider: Provider[SmtpPool], payload: EmailPayload, message: bytes, attempt: _Attempt, *, fresh: bool
    ) -> Receipt:
        recipient = payload.recipient
        async with provider.client.connection(fresh=fresh) as connection:
            attempt.connection = connection
            if recipient.needs_smtputf8 and not connection.offers_smtputf8:
                raise PermanentFailure("smtputf8_not_supported", response={"server": connection.server.name})
            try:
                answer = await connection.transact(
                    sender=self._return_path(connection.server),
                    recipient=recipient.spec,
                    message=message,
                    smtputf8=recipient.needs_smtputf8,
                )
            except Refused as exc:
                raise self._judge_refusal(provider, connection, exc) from None
            except aiosmtplib.SMTPException as exc:
                raise self._judge_silence(provider, connection, exc) from None
        said = describe(answer.code, answer.message, server=connection.server.name)
        return Receipt(response={**said, "provider": provider.config.name})

    def _judge_refusal(
        self, provider: Provider[SmtpPool], connection: SmtpConnection, refused: Refused
    ) -> DeliveryError | _StaleConnection:
        if refused.code == 421 and connection.was_kept and refused.step is Step.SENDER:
            return self._stale(provider, connection)
        failure = failure_of_reply(refused.step, refused.code, refused.text, server=connection.server.name)
        if isinstance(failure, ProviderFailure):
            connection.leave()
        return failure

    def _judge_silence(
        self, provider: Provider[SmtpPool], connection: SmtpConnection, error: aiosmtplib.SMTPException
    ) -> DeliveryError | _StaleConnection:
        if connection.was_kept and connection.step is not Step.FINAL:
            return self._stale(provider, connection)
        reason = "bad_response" if isinstance(error, aiosmtplib.SMTPResponseException) else "connection_lost"
        connection.abandon()
        return failure_of_silence(connection.step, reason=reason, server=connection.server.name)

    def _judge_timeout(self, attempt: _Attempt) -> DeliveryError:
        used = attempt.connection
        if used is None or attempt.provider is None:
            return ProviderFailure("connect_timeout")
        failure = failure_of_silence(used.step, reason="timeout", server=used.server.name)
        failure.response = {**failure.response, "provider": attempt.provider.config.name}
        self._end(attempt, came_to(failure, used.step), failure.reason)
        return failure

    def _stale(self, provider: Provider[SmtpPool], connection: SmtpConnection) -> _StaleConnection:
        connection.abandon()
        provider.client.discard_idle()
        return _StaleConnection()

    def _end(self, attempt: _Attempt, how: CameTo, reason: str = "") -> None:
        if attempt.provider is None or attempt.use is None:
            return
        self.providers.end(attempt.provider, attempt.use, how, reason=reason)
        if how is CameTo.DOWN:
            attempt.provider.client.discard_idle()

    async def aclose(self) -> None:
        await asyncio.gather(*(pool.aclose() for pool in self.providers.clients()))
        await self._fetcher.aclose()
