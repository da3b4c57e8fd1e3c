"""Email by SMTP, over kept connections.

sends       one message per delivery to one recipient: `multipart/alternative`, text and HTML made from the Markdown
            body, a button when there is an `action_url`; `Message-ID` is `<delivery id@domain of from_address>`, the
            same on every attempt; `Auto-Submitted: auto-generated`; `List-Unsubscribe` with one click (RFC 8058);
            `References` where there is a thread; attachments; DKIM signatures by the keys of the sender's domain
address     `local@domain`, at most 254 bytes; a domain beyond ASCII becomes its IDNA form, a local part beyond ASCII
            needs a server that offers SMTPUTF8
options     `EmailConf`: seconds are in the names of the fields; the servers and their URLs are explained in `urls.py`
success     250 after the closing dot
temporary   4yz, a broken connection, no answer in time; `no_final_answer` (ambiguous) once the dot was written
provider    a server that cannot be reached, refuses the login, or says 421: the next server is tried, and when none
            is left the failure burns no attempt; `dkim_key_unreadable`, since unsigned mail would harm the domain
            `attachment_unavailable` when a file cannot be fetched now
permanent   5yz by the table in `outcomes.py`; `invalid_address`, `smtputf8_not_supported`, `unrenderable`,
            `attachment_refused`, `attachments_too_large`
repeats     a kept connection that the server had closed meanwhile is replaced at once, within the same attempt
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import ClassVar

import aiosmtplib

from delivery.transports.base import Outbound, PermanentFailure, ProviderFailure, Receipt
from delivery.transports.email.addresses import Mailbox, parse_mailbox
from delivery.transports.email.attachments import Enclosing
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.connection import Refused, SmtpConnection
from delivery.transports.email.message import EmailPayload, Tail, mailbox_header, render_email
from delivery.transports.email.outcomes import Step, describe, failure_of_reply, failure_of_silence
from delivery.transports.email.pool import SmtpPool
from delivery.transports.email.signing_keys import keys_for
from delivery.transports.email.urls import SmtpServer, parse_smtp_urls
from delivery.transports.fetch import Fetcher, unavailable
from delivery.transports.resolver import GuardedResolver


class _StaleConnection(Exception):
    """The server had closed the kept connection; nothing was handed over."""


@dataclass(slots=True)
class _Attempt:
    """How far a send has come, for whoever has to judge it from outside."""

    connection: SmtpConnection | None = None
    fresh: bool = False


class EmailTransport:
    """Writes to people by way of somebody's relay."""

    channel: ClassVar[str] = "email"
    conf_class: ClassVar[type[EmailConf]] = EmailConf

    def __init__(self, conf: EmailConf, *, resolver: GuardedResolver | None = None) -> None:
        self.attempt_timeout_seconds = conf.timeout_seconds + 2
        self.max_in_flight = conf.max_connections
        self._conf = conf
        self._sender = parse_mailbox(conf.from_address)
        self._envelope_sender = parse_mailbox(conf.envelope_sender or conf.from_address).spec
        self._sender_header = mailbox_header(conf.from_name, self._sender)
        self._servers = parse_smtp_urls(conf.smtp_urls)
        self._fetcher = Fetcher(conf.fetch, resolver)
        self._enclosing = Enclosing(self._fetcher, max_bytes=conf.fetch.max_bytes)
        self._pool = SmtpPool(
            self._servers,
            self._connect,
            max_connections=conf.max_connections,
            max_messages_per_connection=conf.max_messages_per_connection,
            max_idle_seconds=conf.max_idle_seconds,
            server_pause_seconds=conf.server_pause_seconds,
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
        message = self._compose(payload, tail)
        attempt = _Attempt()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._send(payload.recipient, message, attempt)
        except TimeoutError:
            used = attempt.connection
            if used is None:
                raise ProviderFailure("connect_timeout") from None
            raise failure_of_silence(used.step, reason="timeout", server=used.server.name) from None

    def _compose(self, payload: EmailPayload, tail: Tail) -> bytes:
        """The message as it is handed over: dated, and signed where there are keys for the sender's domain."""
        date = format_datetime(datetime.now(UTC)).encode("ascii")
        keys = keys_for(self._sender.domain.lower(), payload.signing_keys, self._conf.signing_keys)
        if not keys:
            return b"Date: %b\r\n%b%b" % (date, payload.head, tail)
        head = b"Date: %b\r\n%b" % (date, payload.head)
        # Not at the top: dkimpy brings dnspython and PyNaCl along, 14 MB that only who signs has to pay.
        from delivery.transports.email.dkim import signatures

        try:
            return signatures(keys, head + tail.headers, tail.body_hash) + head + tail
        except ValueError:
            raise ProviderFailure("dkim_key_unreadable") from None

    async def _send(self, recipient: Mailbox, message: bytes, attempt: _Attempt) -> Receipt:
        """Until a server has judged the message, or none is left that could."""
        failure = ProviderFailure("no_server_available")
        for _ in range(len(self._servers) + 1):
            attempt.connection = None
            try:
                return await self._try(recipient, message, attempt)
            except _StaleConnection:
                attempt.fresh = True
            except ProviderFailure as exc:
                failure = exc
                wait = self._pool.seconds_until_usable()
                if wait > 0:
                    raise ProviderFailure(exc.reason, response=exc.response, retry_after=wait) from None
        raise failure

    async def _try(self, recipient: Mailbox, message: bytes, attempt: _Attempt) -> Receipt:
        async with self._pool.connection(fresh=attempt.fresh) as connection:
            attempt.connection = connection
            if recipient.needs_smtputf8 and not connection.offers_smtputf8:
                raise PermanentFailure("smtputf8_not_supported", response={"server": connection.server.name})
            try:
                answer = await connection.transact(
                    sender=self._envelope_sender,
                    recipient=recipient.spec,
                    message=message,
                    smtputf8=recipient.needs_smtputf8,
                )
            except Refused as exc:
                raise self._judge_refusal(connection, exc) from None
            except aiosmtplib.SMTPException as exc:
                raise self._judge_silence(connection, exc) from None
        return Receipt(response=describe(answer.code, answer.message, server=connection.server.name))

    def _judge_refusal(self, connection: SmtpConnection, refused: Refused) -> Exception:
        if refused.code == 421 and connection.was_kept and refused.step is Step.SENDER:
            return self._stale(connection)
        failure = failure_of_reply(refused.step, refused.code, refused.text, server=connection.server.name)
        if isinstance(failure, ProviderFailure):
            connection.leave()
            self._pool.pause(connection.server)
        return failure

    def _judge_silence(self, connection: SmtpConnection, error: aiosmtplib.SMTPException) -> Exception:
        if connection.was_kept and connection.step is not Step.FINAL:
            return self._stale(connection)
        reason = "bad_response" if isinstance(error, aiosmtplib.SMTPResponseException) else "connection_lost"
        connection.abandon()
        return failure_of_silence(connection.step, reason=reason, server=connection.server.name)

    def _stale(self, connection: SmtpConnection) -> Exception:
        connection.abandon()
        self._pool.discard_idle(connection.server)
        return _StaleConnection()

    async def aclose(self) -> None:
        await self._pool.aclose()
        await self._fetcher.aclose()
