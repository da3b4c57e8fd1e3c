"""Mail servers: greeting, encryption with its certificate, login. Nothing is sent."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509

from delivery.transports.email.urls import SmtpServer
from deploy.doctor.findings import Finding, fail, ok, warn
from notifications.clock import utc_now

_SECONDS: Final = 5.0
_EXPIRES_SOON_DAYS: Final = 14


def check_smtp(servers: Sequence[SmtpServer], *, local_hostname: str) -> list[Finding]:
    """Every configured server; those behind the first are only as good as when they are needed."""
    return [finding for server in servers for finding in _server(server, local_hostname)]


def _server(server: SmtpServer, local_hostname: str) -> list[Finding]:
    check = f"smtp {server.name}"
    try:
        with _connected(server, local_hostname) as client:
            client.ehlo_or_helo_if_needed()
            findings = _encryption(check, server, client)
            if server.username and server.password:
                client.login(server.username, server.password)
                findings.append(ok(check, "It accepts the user name and password."))
            return findings or [ok(check, "It answers; the connection is not encrypted.")]
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        remedy = "Renew the server's certificate, or correct the host name; `verify=0` in SMTP_URL accepts any."
        return [fail(check, f"Encryption fails: {reason}.", remedy)]
    except smtplib.SMTPAuthenticationError as error:
        return [fail(check, f"It refuses the login ({error.smtp_code}).", "Correct user and password in SMTP_URL.")]
    except smtplib.SMTPNotSupportedError:
        return [
            fail(check, "It does not offer what SMTP_URL demands (STARTTLS or a login).", "Use another port or server.")
        ]
    except smtplib.SMTPException as error:
        return [fail(check, f"It does not speak SMTP as expected ({type(error).__name__}).", "Check host and port.")]
    except OSError as error:
        said = error.strerror or type(error).__name__
        return [fail(check, f"It cannot be reached: {said}.", "Correct SMTP_URL, or open the way to it.")]


@contextlib.contextmanager
def _connected(server: SmtpServer, local_hostname: str) -> Iterator[smtplib.SMTP]:
    seconds = min(server.timeout_seconds or _SECONDS, _SECONDS)
    client = (
        smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=local_hostname, timeout=seconds, context=_context(server)
        )
        if server.tls
        else smtplib.SMTP(server.host, server.port, local_hostname=local_hostname, timeout=seconds)
    )
    try:
        yield client
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            client.quit()


def _context(server: SmtpServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _encryption(check: str, server: SmtpServer, client: smtplib.SMTP) -> list[Finding]:
    """STARTTLS as the transport would do it, and the certificate's remaining days."""
    if not server.tls:
        offered = client.has_extn("starttls")
        if server.starttls is False or (server.starttls is None and not offered):
            return []
        client.starttls(context=_context(server))
        client.ehlo()
    if not isinstance(client.sock, ssl.SSLSocket):
        return []
    raw = client.sock.getpeercert(binary_form=True)
    if raw is None:
        return []
    return [_certificate(check, x509.load_der_x509_certificate(raw).not_valid_after_utc, verified=server.verify)]


def _certificate(check: str, ends: datetime, *, verified: bool) -> Finding:
    days = (ends - utc_now()).days
    if days < _EXPIRES_SOON_DAYS:
        return warn(check, f"Its certificate ends in {days} days.", "Renew it before mail stops.")
    if not verified:
        return warn(check, "Its certificate is not checked (`verify=0`).", "Give it a certificate that can be checked.")
    return ok(check, f"It answers encrypted; its certificate is valid for {days} more days.")
