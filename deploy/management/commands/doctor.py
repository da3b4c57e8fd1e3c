"""`manage.py doctor`: is everything in order, and what to do where it is not."""

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from delivery.transports.email.conf import EmailConf
from delivery.transports.email.urls import parse_smtp_urls
from deploy.doctor.brokers import check_broker, check_redis
from deploy.doctor.database import check_database
from deploy.doctor.findings import Finding, Status, exit_code, note
from deploy.doctor.host import check_disk, check_permissions, check_public_url, check_secrets
from deploy.doctor.records import Names, check_dns
from deploy.doctor.smtp import check_smtp
from deploy.doctor.stored_mail import read_stored_mail
from deploy.secrets import GENERATORS
from deploy.variables import FILE_NAME

_WIDTH: Final = 100
_SECRET_FILES: Final = (*(file for file, _ in GENERATORS.values()), FILE_NAME)


class Command(BaseCommand):
    """Looks, sends nothing, changes nothing."""

    help = "Check the laws, the servers, the processes, mail and its DNS records. Exit status 1: warnings, 2: failures."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a JSON document")
        parser.add_argument("--dkim-selector", action="append", default=[], help="a DKIM key to look for in DNS")
        parser.add_argument("--nameserver", help="ask this name server (address or address:port), not the system's")

    def handle(self, *args: Any, **options: Any) -> None:
        """One group of checks after the other, each shown as it comes."""
        findings: list[Finding] = []
        for check in _checks(options["nameserver"], options["dkim_selector"]):
            found = check()
            findings += found
            if not options["json"]:
                for each in found:
                    self._show(each)
        status = exit_code(findings)
        if options["json"]:
            document = {"exit": status, "findings": [each.document() for each in findings]}
            self.stdout.write(json.dumps(document, indent=2))
        sys.exit(status)

    def _show(self, each: Finding) -> None:
        paint: Callable[[str], str] = {
            Status.OK: self.style.SUCCESS,
            Status.NOTE: self.style.NOTICE,
            Status.WARN: self.style.WARNING,
            Status.FAIL: self.style.ERROR,
        }[each.status]
        self.stdout.write(f"{paint(f'{each.status.name.lower():<5}')} {each.check:<24} {each.finding}")
        if each.remedy:
            indent = " " * 31
            self.stdout.write(textwrap.fill(each.remedy, _WIDTH, initial_indent=indent, subsequent_indent=indent))


def _checks(nameserver: str | None, dkim_selectors: list[str]) -> list[Callable[[], list[Finding]]]:
    data_dir = Path(settings.DATA_DIR)
    return [
        check_database,
        check_redis,
        check_broker,
        lambda: _check_mail(nameserver, dkim_selectors),
        lambda: check_public_url(settings.PUBLIC_URL),
        lambda: check_disk(data_dir),
        lambda: check_permissions(data_dir, _SECRET_FILES),
        lambda: check_secrets(settings.SECRET_KEY, settings.CARILLON_ENCRYPTION_KEYS, debug=settings.DEBUG),
    ]


def _check_mail(nameserver: str | None, dkim_selectors: list[str]) -> list[Finding]:
    """The servers and the domain of the email transport, if there is one."""
    transport = settings.CARILLON_DELIVERY.transports.get("email")
    if transport is None:
        return [note("smtp", "No mail server is configured.", "Set SMTP_URL to send mail.")]
    conf: EmailConf = transport.conf
    domain = conf.from_address.rpartition("@")[2]
    stored = read_stored_mail(domain)
    servers = [*(parse_smtp_urls(conf.smtp_urls) if conf.smtp_urls.strip() else ()), *stored.servers]
    if not servers:
        return [
            *stored.unusable,
            note("smtp", "No mail server is configured.", "Set SMTP_URL, or add one in the admin, to send mail."),
        ]
    selectors = [key.selector for key in conf.signing_keys if key.domain == domain]
    return [
        *stored.unusable,
        *check_smtp(servers, local_hostname=conf.local_hostname or domain),
        *check_dns(domain, Names(nameserver), dkim_selectors=sorted({*dkim_selectors, *selectors, *stored.selectors})),
    ]
