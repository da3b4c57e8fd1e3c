"""A bounce by SMTP to the platform's own listener, as the launcher starts it."""

import smtplib
from collections.abc import Callable

import httpx
import psutil
import pytest

from notifications import ids
from tests.delivery.feedback.samples import sample
from tests.e2e.customer import Customer
from tests.fixtures.platform import Platform, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("journey")]


def test_a_bounce_sent_to_the_listener_fails_its_delivery(
    start_platform: Callable[..., Platform], unused_tcp_port: int
) -> None:
    platform = start_platform(
        env={
            "CARILLON_BOUNCE_LISTEN": f"127.0.0.1:{unused_tcp_port}",
            "CARILLON_MAIL_FROM": "Shop <shop@example.org>",
            "WEB_PROCESSES": "1",
        }
    )
    customer = Customer(platform)
    (delivery,) = customer.finished(customer.send([{"id": "u1", "email": "ada@example.com"}], ["email"]))
    row = ids.decode("dlv", delivery["id"])
    assert row is not None
    wait_for(lambda: readiness(platform) == [], timeout_seconds=60, what="the listener's heartbeat")
    with smtplib.SMTP("127.0.0.1", unused_tcp_port, timeout=30) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", ["somebody@example.org"], b"Subject: x\r\n\r\nx\r\n")
        client.sendmail("", ["shop@example.org"], sample("postfix_failed", row))
    told = customer.call("GET", f"/v1/deliveries/{delivery['id']}", 200)
    assert (told["state"], told["reason"]) == ("failed", "bounced")
    assert "ada@example.com" not in platform.log
    listener = next(
        each for each in psutil.Process(platform.process.pid).children() if "deploy.bounces" in each.cmdline()
    )
    listener.kill()
    listener.wait(30)
    wait_for(lambda: is_open(unused_tcp_port), timeout_seconds=60, what="another listener")


def readiness(platform: Platform) -> list[str]:
    return list(httpx.get(f"{platform.url}/readyz", timeout=10, trust_env=False).json()["degraded"])


def is_open(port: int) -> bool:
    """Whether a listener answers."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            return client.noop()[0] == 250
    except OSError:
        return False
