"""Mail servers and keys on a running platform: added in the admin, refused, dead and back; keys exchanged while it sends."""

import asyncio
import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook

from tests.e2e.customer import Customer
from tests.fixtures.platform import ROOT, Platform, remove_data, wait_for
from tests.fixtures.receivers import HttpReceiver, LoopThread, SmtpReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("providers"), pytest.mark.timeout(400)]

PASSWORD = "correct-horse-battery"
Start = Callable[..., Platform]


class StrictReceiver(SmtpReceiver):
    """A mail server that wants a login, and can go away and come back at the same port."""

    def __init__(self, thread: LoopThread) -> None:
        self.logins = 0
        self._thread = thread
        super().__init__(thread)

    async def _listen(self, port: int = 0) -> Any:
        loop = asyncio.get_running_loop()

        def connection() -> SMTP:
            self.connections += 1
            return SMTP(
                self,
                hostname="strict.test",
                loop=loop,
                auth_require_tls=False,
                authenticator=self._authenticate,
            )

        return await loop.create_server(connection, "127.0.0.1", port)

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins += 1
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def go_away(self) -> None:
        self._thread.call(self.aclose())

    def come_back(self) -> None:
        self._server = self._thread.call(self._listen(self.port))


@pytest.fixture
def strict(receiver_thread: LoopThread) -> Iterator[StrictReceiver]:
    receiver = StrictReceiver(receiver_thread)
    yield receiver
    receiver_thread.call(receiver.aclose())


class Operator:
    """Somebody in front of the admin."""

    def __init__(self, platform: Platform) -> None:
        self._browser = platform.browser()
        self._post("/admin/login/?next=/admin/", username="admin", password=platform.admin_password)

    def close(self) -> None:
        self._browser.close()

    def add_server(self, name: str, port: int, **fields: str) -> None:
        form = {"name": name, "host": "127.0.0.1", "port": str(port), "security": "none", "position": "50"}
        self._post("/admin/delivery/provider/add/", **form, enabled="on", **fields)

    def change_server(self, name: str, port: int, **fields: str) -> None:
        page = self._browser.get(f"/admin/delivery/provider/?q={name}").text
        (pk,) = set(re.findall(r"/admin/delivery/provider/([0-9a-f-]{36})/change/", page))
        form = {"name": name, "host": "127.0.0.1", "port": str(port), "security": "none", "position": "50"}
        self._post(f"/admin/delivery/provider/{pk}/change/", **form, enabled="on", **fields)

    def list_of_servers(self) -> str:
        return self._browser.get("/admin/delivery/provider/").text

    def _post(self, path: str, **form: str) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self._browser.get(path).text)
        assert token
        headers = {"Referer": f"{self._browser.base_url}{path}", "Origin": str(self._browser.base_url).rstrip("/")}
        answer = self._browser.post(path, data={**form, "csrfmiddlewaretoken": token[1]}, headers=headers)
        assert answer.status_code == 302, answer.text


def mail(customer: Customer, name: str = "u1") -> str:
    """One mail, sent: the provider that took it."""
    notification = customer.send([{"id": name, "email": f"{name}@example.com"}], ["email"])
    (delivery,) = customer.finished(notification)
    assert delivery["state"] == "sent"
    return str(customer.attempts(delivery)[-1]["response"]["provider"])


def test_a_server_added_in_the_admin_is_used_without_a_restart_and_its_troubles_are_told(
    start_platform: Start, strict: StrictReceiver, smtp_receiver: SmtpReceiver
) -> None:
    platform = start_platform()
    customer, operator = Customer(platform), Operator(platform)
    mail(customer)
    processes = platform.pids()

    operator.add_server("relay", strict.port, username="me", password="not-it")
    ring = [{"id": "u3", "email": "u3@example.com"}]
    wait_for(
        lambda: customer.send(ring, ["email"]) and strict.logins, timeout_seconds=60, what="the server to be asked"
    )
    wait_for(lambda: degraded(platform) == ["email_providers"], timeout_seconds=60, what="/readyz to say so")
    waiting = customer.send([{"id": "u2", "email": "u2@example.com"}], ["email"])
    assert platform.http.get("/readyz").status_code == 200
    assert "paused: authentication_refused" in operator.list_of_servers()
    assert 'carillon_provider_paused{channel="email",provider="relay"} 1.0' in metrics(platform)
    assert "provider_paused" in platform.log and "authentication_refused" in platform.log

    operator.change_server("relay", strict.port, username="me", password=PASSWORD)
    (delivery,) = customer.finished(waiting, timeout_seconds=90)
    assert delivery["state"] == "sent"
    wait_for(lambda: mail(customer) == "relay", timeout_seconds=60, what="the server to be used")
    wait_for(lambda: degraded(platform) == [], timeout_seconds=60, what="/readyz to be content again")

    operator.add_server("second", smtp_receiver.port)
    platform_knows(platform, "second")
    strict.go_away()
    wait_for(lambda: mail(customer) == "second", timeout_seconds=60, what="the second to take over")
    strict.come_back()
    wait_for(lambda: mail(customer) == "relay", timeout_seconds=120, what="the first to be the first again")
    assert platform.pids() == processes, "nothing was restarted"
    for secret in (PASSWORD, "not-it"):
        assert secret not in platform.log + operator.list_of_servers() + metrics(platform)
    operator.close()


def platform_knows(platform: Platform, name: str) -> None:
    wait_for(lambda: f'provider="{name}"' in metrics(platform), timeout_seconds=60, what=f"{name} to be in the metrics")


def degraded(platform: Platform) -> list[str]:
    return list(httpx.get(f"{platform.url}/readyz", timeout=10, trust_env=False).json()["degraded"])


def metrics(platform: Platform) -> str:
    return httpx.get(f"{platform.url}/metrics", timeout=10, trust_env=False).text


def test_keys_are_exchanged_while_mails_and_webhooks_go_out(
    start_platform: Start, strict: StrictReceiver, http_receiver: HttpReceiver, tmp_path: Path
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    data_dir = tmp_path / "data"
    platform = start_platform(data_dir=data_dir, env={"CARILLON_ENCRYPTION_KEYS": old})
    customer = Customer(platform)
    with contextlib.closing(Operator(platform)) as operator:
        operator.add_server("relay", strict.port, username="me", password=PASSWORD)
    customer.add_recipient("u1", email="u1@example.com")
    secret = customer.add_endpoint("u1", f"{http_receiver.url}/hook")["secret"]
    wait_for(lambda: mail(customer) == "relay", timeout_seconds=60, what="the server to be used")
    platform.stop()

    platform = start_platform(data_dir=data_dir, env={"CARILLON_ENCRYPTION_KEYS": f"{new},{old}"})
    customer = Customer(platform)
    sent: list[str] = []
    enough = threading.Event()

    def keep_sending() -> None:
        while not enough.is_set():
            sent.append(customer.send(["u1"], ["email", "webhook"]))

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        before = len(sent)
        done = rotate(platform, f"{new},{old}")
        assert done.returncode == 0, done.stderr
        assert "Only the first key" in done.stdout
        wait_for(lambda: len(sent) > before + 20, timeout_seconds=60, what="mails during the rotation")
    finally:
        enough.set()
        sender.join(60)
    assert "\n0 sealed again." in rotate(platform, f"{new},{old}").stdout
    for notification in sent:
        assert {row["state"] for row in customer.finished(notification, timeout_seconds=120)} == {"sent"}
    for call in http_receiver.calls.all():
        Webhook(secret).verify(call.body, dict(call.headers))
    platform.stop()

    refused = start_platform(data_dir=data_dir, env={"CARILLON_ENCRYPTION_KEYS": old}, wait=False)
    assert refused.process.wait(120) != 0
    assert "CARILLON_ENCRYPTION_KEYS" in refused.log

    platform = start_platform(data_dir=data_dir, env={"CARILLON_ENCRYPTION_KEYS": new})
    customer = Customer(platform)
    logins = strict.logins
    assert mail(customer) == "relay"
    assert strict.logins > logins, "the password was opened with the new key alone"
    platform.stop()
    remove_data(data_dir)


def rotate(platform: Platform, keys: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py rotate_secrets` as an operator runs it beside the platform, with the environment of its worker."""
    env = psutil.Process(platform.pids()["worker"][0]).environ()
    assert env["CARILLON_ENCRYPTION_KEYS"] == keys
    return subprocess.run(
        [sys.executable, "manage.py", "rotate_secrets", "--batch=2"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
