"""`manage.py doctor`: what it finds, what it advises, and that it sends nothing; against real servers on loopback."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from delivery.models import Delivery, Heartbeat
from delivery.states import State
from delivery.transports.email.urls import SmtpServer
from deploy.doctor.brokers import check_broker, check_redis
from deploy.doctor.database import check_database
from deploy.doctor.findings import Finding, Status, exit_code, fail, note, ok, warn
from deploy.doctor.host import check_disk, check_permissions, check_public_url, check_secrets
from deploy.doctor.records import Names, check_dns
from deploy.doctor.smtp import check_smtp
from notifications.models import Inbox, Notification
from tests.delivery.transports.certificates import make_certificate
from tests.deploy.nameserver import Nameserver
from tests.deploy.operator import World
from tests.fixtures.receivers import LoopThread
from tests.fixtures.servers import RunningServer

DOMAIN = "shop.example"
GOOD = {
    (DOMAIN, "MX"): ["10 mx.shop.example."],
    (DOMAIN, "TXT"): ['"v=spf1 mx include:spf.provider.example -all"', '"other=1"'],
    ("spf.provider.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 a ~all"'],
    (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:a@shop.example"'],
    (f"s1._domainkey.{DOMAIN}", "TXT"): ['"v=DKIM1; k=rsa; p=MIIB" "IjAN"'],
}


@pytest.fixture(autouse=True, scope="module")
def _emptied(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Laws are asked of the whole database, and tests elsewhere may have left rows that were made by hand."""
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {each.check: each for each in findings}


def test_the_exit_code_is_the_worst_finding() -> None:
    assert exit_code([]) == exit_code([ok("a", "."), note("a", ".")]) == 0
    assert exit_code([ok("a", "."), warn("a", ".", ".")]) == 1
    assert exit_code([fail("a", ".", "."), warn("a", ".", ".")]) == 2


@pytest.mark.django_db
class TestDatabase:
    """What only the database can tell."""

    def beat(self, role: str, seconds_ago: int = 0) -> None:
        seen = timezone.now() - timedelta(seconds=seconds_ago)
        Heartbeat.objects.create(role=role, host="h", pid=1, version="1", last_seen_at=seen)

    def test_all_is_well(self) -> None:
        for model in (Heartbeat, Notification, Inbox):  # other tests' rows are not all lawful
            model.objects.all().delete()
        for role in ("web", "worker", "beat"):
            self.beat(role)
        findings = by_check(check_database())
        assert exit_code(findings.values()) == 0, findings
        assert findings["database"].finding.startswith("PostgreSQL 18.")
        assert {"clock", "migrations", "laws", "oldest due", "encryption keys"} <= set(findings)

    def test_missing_and_silent_processes(self) -> None:
        Heartbeat.objects.all().delete()
        self.beat("worker", 70)
        self.beat("web")
        self.beat("web", 70)
        findings = by_check(check_database())
        assert findings["heartbeat:worker"].status == Status.FAIL
        assert findings["heartbeat:worker"].finding.startswith("No worker seen for 7")
        assert (findings["heartbeat:beat"].status, findings["heartbeat:beat"].finding) == (Status.WARN, "No Beat seen.")
        assert findings["heartbeat:web"].status == Status.WARN

    def test_a_broken_law_is_named_with_its_rows(self) -> None:
        world = World()
        delivery = world.delivery(State.QUEUED, recipient=world.recipient(), due=-timedelta(minutes=9))
        Delivery.objects.filter(pk=delivery.pk).update(attempt_count=7)
        findings = by_check(check_database())
        found = findings["laws:attempts_are_counted"]
        assert found.status == Status.FAIL
        assert str(delivery.pk) in found.finding
        assert findings["oldest due"].status == Status.WARN
        assert "due for 54" in findings["oldest due"].finding

    def test_unapplied_migrations_are_a_failure_and_nothing_more_is_asked(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'delivery' AND name <> '0001_initial'")
        findings = check_database()
        assert findings[-1].check == "migrations"
        assert (findings[-1].status, findings[-1].remedy) == (Status.FAIL, "Run: python manage.py migrate")


def test_redis_and_broker(settings: Any, valkey: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.celery_app import app

    settings.REDIS_URLS = [valkey.url]
    monkeypatch.setattr(app.conf, "broker_url", valkey.url.replace("unix://", "redis+socket://"))
    assert by_check(check_redis())["redis"].finding.startswith("Valkey 9.")
    assert [each.status for each in check_broker()] == [Status.OK]
    valkey.kill()
    assert [each.status for each in check_redis() + check_broker()] == [Status.WARN, Status.WARN]


def test_urls_that_cannot_be_are_said(settings: Any) -> None:
    settings.REDIS_URLS = ["redis//nowhere"]
    (finding,) = check_redis()
    assert (finding.status, finding.check) == (Status.FAIL, "redis")
    assert "REDIS_URL" in finding.finding


class Refuses:
    """An SMTP server's handler that would take mail, to see that none comes."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def handle_MAIL(self, *_: Any) -> str:
        self.commands.append("MAIL")
        return "250 OK"


@pytest.fixture
def mail_server(receiver_thread: LoopThread) -> Iterator[Callable[..., tuple[SmtpServer, Refuses]]]:
    """Starts servers with options of aiosmtpd's."""
    running: list[asyncio.Server] = []

    async def listen(handler: Refuses, options: dict[str, Any]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: SMTP(handler, hostname="mail.example", **options), "127.0.0.1", 0)

    def start(*, user: str | None = None, verify: bool = True, **options: Any) -> tuple[SmtpServer, Refuses]:
        handler = Refuses()
        server = receiver_thread.call(listen(handler, options))
        running.append(server)
        port = server.sockets[0].getsockname()[1]
        return SmtpServer(host="localhost", port=port, username=user, password=user, verify=verify), handler

    yield start
    for server in running:
        receiver_thread.loop.call_soon_threadsafe(server.close)


def test_a_plain_mail_server_is_greeted_and_left(mail_server: Callable[..., tuple[SmtpServer, Refuses]]) -> None:
    server, handler = mail_server()
    (finding,) = check_smtp([server], local_hostname="doctor.example")
    assert (finding.status, finding.finding) == (Status.OK, "It answers; the connection is not encrypted.")
    assert handler.commands == []


def test_a_login_over_starttls(mail_server: Callable[..., tuple[SmtpServer, Refuses]], tmp_path: Path) -> None:
    _, context = make_certificate(tmp_path, "localhost")

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.login == b"right", handled=False)

    options = {"tls_context": context, "authenticator": login, "require_starttls": True}
    right, _ = mail_server(user="right", verify=False, **options)
    findings = check_smtp([right], local_hostname="doctor.example")
    # Valid for another day: to be renewed.
    assert [each.status for each in findings] == [Status.WARN, Status.OK]
    assert "ends in 0 days" in findings[0].finding
    wrong, handler = mail_server(user="wrong", verify=False, **options)
    (finding,) = check_smtp([wrong], local_hostname="doctor.example")
    assert (finding.status, finding.finding) == (Status.FAIL, "It refuses the login (535).")
    assert "wrong" not in finding.finding + finding.remedy
    strict, _ = mail_server(user="right", **options)
    (finding,) = check_smtp([strict], local_hostname="doctor.example")
    assert finding.status == Status.FAIL
    assert finding.finding.startswith("Encryption fails: self")
    assert handler.commands == []


def test_a_mail_server_that_is_not_there(unused_tcp_port: int) -> None:
    (finding,) = check_smtp([SmtpServer(host="127.0.0.1", port=unused_tcp_port)], local_hostname="doctor.example")
    assert finding.status == Status.FAIL
    assert "cannot be reached" in finding.finding


def dns(records: dict[tuple[str, str], list[str]], *selectors: str) -> dict[str, Finding]:
    with Nameserver(records) as server:
        return by_check(check_dns(DOMAIN, Names(server.address), dkim_selectors=selectors))


def test_records_in_order() -> None:
    findings = dns(GOOD, "s1")
    assert {each.status for each in findings.values()} == {Status.OK}, findings
    assert findings["dns:spf"].finding == "SPF is in order (3 of 10 look-ups)."


@pytest.mark.parametrize(
    ("changed", "check", "says"),
    [
        ({(DOMAIN, "MX"): []}, "dns:mx", "receives no mail"),
        ({(DOMAIN, "TXT"): ['"other=1"']}, "dns:spf", "no SPF record"),
        ({(DOMAIN, "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']}, "dns:spf", "2 SPF records"),
        ({(DOMAIN, "TXT"): ['"v=spf1 mx +all"']}, "dns:spf", "everybody"),
        ({(DOMAIN, "TXT"): ['"v=spf1 mx"']}, "dns:spf", "nothing about other senders"),
        (
            {(DOMAIN, "TXT"): ['"v=spf1 ' + " ".join(f"a:h{n}.example" for n in range(11)) + ' -all"']},
            "dns:spf",
            "11 look",
        ),
        ({("spf.provider.example", "TXT"): [f'"v=spf1 include:{DOMAIN} -all"']}, "dns:spf", "give up after 10"),
        ({(f"_dmarc.{DOMAIN}", "TXT"): []}, "dns:dmarc", "no DMARC record"),
        ({(f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=none"']}, "dns:dmarc", "only watches"),
        ({(f"s1._domainkey.{DOMAIN}", "TXT"): []}, "dns:dkim s1", "no key"),
        ({(f"s1._domainkey.{DOMAIN}", "TXT"): ['"v=DKIM1; p="']}, "dns:dkim s1", "revoked"),
    ],
)
def test_records_that_need_care(changed: dict[tuple[str, str], list[str]], check: str, says: str) -> None:
    findings = dns({**GOOD, **changed}, "s1")
    assert findings[check].status == Status.WARN
    assert says in findings[check].finding
    assert findings[check].remedy
    assert {each.status for name, each in findings.items() if name != check} == {Status.OK}


def test_no_name_server_is_a_note(unused_tcp_port: int) -> None:
    (finding,) = check_dns(DOMAIN, Names(f"127.0.0.1:{unused_tcp_port}"))
    assert finding.status == Status.NOTE
    assert "not reachable" in finding.finding


def test_loose_permissions_and_weak_secrets(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("s")
    (tmp_path / "secret_key").chmod(0o640)
    (finding,) = check_permissions(tmp_path, ("secret_key", "api_key"))
    assert (finding.status, finding.remedy) == (Status.FAIL, f"Run: chmod 600 {tmp_path / 'secret_key'}")
    (tmp_path / "secret_key").chmod(0o600)
    assert check_permissions(tmp_path, ("secret_key", "api_key"))[0].status == Status.OK
    weak = check_secrets("x" * 60, (), debug=True)
    assert [each.status for each in weak] == [Status.WARN, Status.FAIL, Status.WARN]
    assert check_disk(tmp_path)[0].check == "disk"
    assert check_disk(tmp_path / "none")[0].status == Status.NOTE


def test_a_public_address_that_is_neither_encrypted_nor_there(unused_tcp_port: int) -> None:
    (finding,) = check_public_url(f"http://127.0.0.1:{unused_tcp_port}")
    assert finding.status == Status.WARN
    plain = check_public_url(f"http://name.invalid:{unused_tcp_port}")
    assert ["not encrypted" in each.finding for each in plain] == [True, False]


@pytest.mark.django_db
def test_the_command_prints_lines_or_json_and_exits_with_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    Heartbeat.objects.all().delete()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["exit"] == ended.value.code == 2
    checks = {each["check"]: each for each in document["findings"]}
    assert checks["heartbeat:worker"]["status"] == "fail"
    assert {"database", "laws", "redis", "broker", "smtp", "public url", "disk", "permissions", "secrets"} <= set(
        checks
    )
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--no-color")
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 2
    assert any(line.startswith("fail  heartbeat:worker") for line in lines)


def test_a_database_that_is_away_is_said_and_the_rest_still_checked(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    environment = {**os.environ, "DATABASE_URL": f"postgresql://x@/x?host={tmp_path}"}
    command = [sys.executable, "manage.py", "doctor", "--json"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert findings["database"]["status"] == "fail"
    assert findings["redis"]["status"] == "ok"
