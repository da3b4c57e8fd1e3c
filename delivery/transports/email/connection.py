"""One kept SMTP connection: aiosmtplib opens it and logs in; the transaction is ours, step by step.

`SMTP.sendmail` would do, but it does not tell a connection lost before the closing dot from one lost after it, and
that difference is the one between a harmless repeat and a possible second mail. It also waits for the answer to each
command, where a server that offers PIPELINING takes all of them at once.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any

import aiosmtplib

from delivery.transports.answers import clean_text
from delivery.transports.base import ProviderFailure
from delivery.transports.email.dialogue import Dialogue, take_over
from delivery.transports.email.outcomes import Step, describe
from delivery.transports.email.urls import SmtpServer


class Refused(Exception):
    """The server answered, and not with what the step needs."""

    def __init__(self, step: Step, code: int, text: str) -> None:
        super().__init__(step.value, code)
        self.step = step
        self.code = code
        self.text = text


class SmtpConnection:
    """Serves one transaction at a time; not usable any more after anything but a success or a Refused."""

    def __init__(self, server: SmtpServer, *, local_hostname: str, timeout_seconds: float) -> None:
        self.server = server
        self.messages = 0
        self.idle_since: float | None = None
        self.step = Step.SENDER
        self._unfinished = False
        self._dialogue: Dialogue | None = None
        self._timeout_seconds = server.timeout_seconds or timeout_seconds
        self._smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=local_hostname,
            use_tls=server.tls,
            start_tls=server.starttls,
            validate_certs=server.verify,
            # Timed from outside: `asyncio.wait_for` of Python 3.11 can swallow a cancellation.
            timeout=None,
        )

    @property
    def is_open(self) -> bool:
        return self._dialogue is not None and self._dialogue.is_open

    @property
    def was_kept(self) -> bool:
        """Whether it lay idle before this use, so that the server may have closed it meanwhile."""
        return self.idle_since is not None

    @property
    def offers_smtputf8(self) -> bool:
        return self._smtp.supports_extension("smtputf8")

    async def open(self) -> None:
        """Connect, greet, encrypt, log in; raises ProviderFailure when any of it does not work."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._smtp.connect()
                if self._smtp.is_ehlo_or_helo_needed:
                    await self._hello()
                self._dialogue = take_over(self._smtp.transport)
        except aiosmtplib.SMTPAuthenticationError as exc:
            # Without the text of the answer: some servers repeat the login in it.
            raise self._failure("authentication_refused", {"code": exc.code}) from None
        except aiosmtplib.SMTPResponseException as exc:
            raise self._failure(
                "server_unavailable", describe(exc.code, exc.message, server=self.server.name)
            ) from None
        except TimeoutError:
            raise self._failure("connect_timeout") from None
        except (aiosmtplib.SMTPException, OSError) as exc:
            reason = "tls_failed" if isinstance(exc.__cause__ or exc, ssl.SSLError) else "connect_failed"
            raise self._failure(reason, {"error": clean_text(str(exc), limit_bytes=300)}) from None
        finally:
            if self._dialogue is None:
                self._smtp.close()

    async def _hello(self) -> None:
        try:
            await self._smtp.ehlo()
        except aiosmtplib.SMTPHeloError:
            await self._smtp.helo()

    def _failure(self, reason: str, response: Mapping[str, Any] | None = None) -> ProviderFailure:
        return ProviderFailure(reason, response={**(response or {}), "server": self.server.name})

    async def transact(self, *, sender: str, recipient: str, message: bytes, smtputf8: bool) -> aiosmtplib.SMTPResponse:
        """Hand over one message for one recipient; the caller times it. `message` ends with CRLF.

        Raises Refused, or what aiosmtplib raises when the connection breaks; `step` then says how far it came.
        """
        dialogue = self._dialogue
        self.step = Step.SENDER
        if dialogue is None or not dialogue.is_silent:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        if self._unfinished:
            dialogue.write(b"RSET\r\n")
            await self._expect(dialogue, Step.SENDER, 250)
            self._unfinished = False
        options = b" SMTPUTF8" if smtputf8 else b""
        if self._smtp.supports_extension("size"):
            options += b" SIZE=%d" % len(message)
        commands = (
            (Step.SENDER, 250, b"MAIL FROM:<%b>%b\r\n" % (sender.encode(), options)),
            (Step.RECIPIENT, 250, b"RCPT TO:<%b>\r\n" % recipient.encode()),
            (Step.DATA, 354, b"DATA\r\n"),
        )
        if self._smtp.supports_extension("pipelining"):
            dialogue.write(b"".join(command for _, _, command in commands))
            await self._expect_all(dialogue)
        else:
            for step, expected, command in commands:
                dialogue.write(command)
                await self._expect(dialogue, step, expected)
        if b"\r\n." in message:
            message = message.replace(b"\r\n.", b"\r\n..")
        dialogue.write(message + b".\r\n")
        self.step = Step.FINAL
        response = await dialogue.reply()
        self.messages += 1
        if response.code == 421:
            self.abandon()
        if response.code != 250:
            raise Refused(Step.FINAL, response.code, response.message)
        return response

    async def _expect(self, dialogue: Dialogue, step: Step, expected: int) -> None:
        self.step = step
        response = await dialogue.reply()
        if response.code // 10 != expected // 10:
            self._unfinished = True
            raise Refused(step, response.code, response.message)

    async def _expect_all(self, dialogue: Dialogue) -> None:
        """The replies to MAIL, RCPT and DATA that were written together; the first refusal counts."""
        refused: Refused | None = None
        for step, expected in ((Step.SENDER, 250), (Step.RECIPIENT, 250), (Step.DATA, 354)):
            try:
                await self._expect(dialogue, step, expected)
            except Refused as exc:
                refused = refused or exc
                if exc.code == 421:
                    raise refused from None
            else:
                if refused and step is Step.DATA:  # it waits for a message to nobody (RFC 2920, 3.1)
                    dialogue.write(b".\r\n")
                    await dialogue.reply()
        if refused:
            self.step = refused.step
            raise refused

    def abandon(self) -> None:
        """Cut it off, whatever state it is in."""
        self._smtp.close()

    def leave(self) -> None:
        """Say goodbye without waiting for an answer."""
        if self._dialogue is not None and self._dialogue.is_open:
            self._dialogue.write(b"QUIT\r\n")
        self._smtp.close()

    async def quit(self) -> None:
        """Say goodbye and wait, a little, for the server to say it as well."""
        with contextlib.suppress(aiosmtplib.SMTPException, TimeoutError):
            async with asyncio.timeout(1):
                if self._dialogue is not None:
                    self._dialogue.write(b"QUIT\r\n")
                    await self._dialogue.reply()
        self._smtp.close()
