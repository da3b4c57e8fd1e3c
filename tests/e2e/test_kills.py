"""Whatever is killed in the middle of 2000 accepted notifications: nothing lost, no in-app message doubled.

Four ledgers are compared: the driver's (what got a 202), the HTTP receiver's (what came), the database's (what became
of it), and those of inboxes held open as a browser would.
"""

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from standardwebhooks.webhooks import Webhook

from deploy.launcher.postgres import EmbeddedPostgres
from notifications import ids
from tests.delivery.laws import assert_lawful_now
from tests.e2e.customer import Customer, Inbox
from tests.e2e.load import Driver
from tests.fixtures.platform import Platform, remove_data, wait_for
from tests.fixtures.receivers import Answer, HttpReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("kills"), pytest.mark.timeout(300)]

COUNT = 2000
RECIPIENTS = 20
WATCHED = 3
SETTLED_SECONDS = 120.0
LEASE_SECONDS = 8
# Slow enough that at any moment some attempts are under way.
RECEIVER_SECONDS = 0.1

SUMMARY = """
    SELECT (SELECT count(*) FROM notifications_notification WHERE id = ANY(%(ids)s) AND status = 'accepted') AS unrouted,
           (SELECT count(*) FROM delivery_delivery WHERE notification_id = ANY(%(ids)s) AND finished_at IS NULL) AS open,
           (SELECT count(*) FROM delivery_delivery WHERE notification_id = ANY(%(ids)s)) AS deliveries"""


@dataclass
class Scene:
    """A platform to be harmed, recipients of this test alone, and what watches them."""

    platform: Platform
    receiver: HttpReceiver
    recipients: list[str]
    secrets: dict[str, str]
    inboxes: list[Inbox]
    name: str

    def driver(self) -> Driver:
        return Driver(self.platform, self.recipients, ["in_app", "webhook"], COUNT, self.name)

    def when_arrived(self, count: int, harm: Callable[[], Any]) -> None:
        """Do `harm` as soon as the receiver has had `count` requests."""
        self.receiver.calls.wait_for(count, timeout_seconds=SETTLED_SECONDS)
        harm()

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        url = EmbeddedPostgres(self.platform.data_dir).url
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(sql, values).fetchall()

    def count_attempts(self, condition: LiteralString) -> int:
        """How many attempts of this test's deliveries are so."""
        (row,) = self.rows(
            "SELECT count(*) AS n FROM delivery_attempt a JOIN delivery_delivery d ON d.id = a.delivery_id"
            " JOIN notifications_recipient r ON r.id = d.recipient_id"
            f" WHERE {condition} AND r.external_id = ANY(%(names)s)",
            names=self.recipients,
        )
        count: int = row["n"]
        return count

    def settle(self, accepted: list[UUID]) -> None:
        """Wait until everything accepted has reached its end."""

        def settled() -> bool:
            try:
                (row,) = self.rows(SUMMARY, ids=accepted)
            except psycopg.OperationalError:
                return False
            return row == {"unrouted": 0, "open": 0, "deliveries": 2 * COUNT}

        wait_for(settled, timeout_seconds=SETTLED_SECONDS, what="all deliveries to be terminal")

    def verify(self, driver: Driver) -> None:
        """Compare the ledgers."""
        accepted = [identifier for text in driver.finish() if (identifier := ids.decode("ntf", text))]
        assert len(set(accepted)) == COUNT
        self.settle(accepted)
        self._verify_database(accepted)
        self._verify_receiver(accepted)
        self._verify_inboxes()

    def _verify_database(self, accepted: list[UUID]) -> None:
        states = self.rows(
            "SELECT channel, state, count(*) AS n FROM delivery_delivery WHERE notification_id = ANY(%(ids)s) GROUP BY 1, 2",
            ids=accepted,
        )
        assert {(row["channel"], row["state"]): row["n"] for row in states} == {
            ("in_app", "delivered"): COUNT,
            ("webhook", "sent"): COUNT,
        }
        # Whatever was not answered and repeated with its key exists once: this test's recipients got nothing else.
        (kept,) = self.rows(
            "SELECT count(*) AS n FROM notifications_notification WHERE recipients->>0 = ANY(%(names)s)",
            names=self.recipients,
        )
        assert kept["n"] == COUNT
        with psycopg.connect(EmbeddedPostgres(self.platform.data_dir).url) as connection:
            assert_lawful_now(connection)

    def _verify_receiver(self, accepted: list[UUID]) -> None:
        rows = self.rows(
            "SELECT id, attempt_count FROM delivery_delivery WHERE channel = 'webhook' AND notification_id = ANY(%(ids)s)",
            ids=accepted,
        )
        attempts = {ids.encode("dlv", row["id"]): row["attempt_count"] for row in rows}
        calls = self.receiver.calls.all()
        arrivals = Counter(call.headers["webhook-id"] for call in calls)
        assert set(arrivals) == set(attempts)
        # Every repetition belongs to an attempt whose process died before it could say how it ended.
        assert {name: n for name, n in arrivals.items() if n > attempts[name]} == {}
        for call in calls:
            Webhook(self.secrets[call.path]).verify(call.body, dict(call.headers))

    def _verify_inboxes(self) -> None:
        for inbox, name in zip(self.inboxes, self.recipients, strict=False):
            messages = inbox.created(COUNT // RECIPIENTS)
            assert inbox.faults == [], name
            assert len({message["id"] for message in messages}) == len(messages) == COUNT // RECIPIENTS
            assert sorted(message["offset"] for message in messages) == list(range(1, len(messages) + 1))


@pytest.fixture(scope="module")
def victim() -> Iterator[Platform]:
    """One instance for all that is done to it."""
    data_dir = Path(tempfile.mkdtemp(prefix="carillon-victim-"))
    instance = Platform(data_dir, {"CARILLON_LEASE_SECONDS": str(LEASE_SECONDS), "CARILLON_LOG": "WARNING"})
    yield instance
    instance.stop()
    remove_data(data_dir)


@pytest.fixture
def scene(victim: Platform, http_receiver: HttpReceiver, request: pytest.FixtureRequest) -> Iterator[Scene]:
    victim.wait_until_answering()
    name = request.node.name.removeprefix("test_")[:24]
    customer = Customer(victim)
    recipients = [f"{name}-{n}" for n in range(RECIPIENTS)]
    secrets = {}
    for recipient in recipients:
        customer.add_recipient(recipient)
        url = http_receiver.answer(f"/{recipient}", Answer(delay_seconds=RECEIVER_SECONDS))
        secrets[f"/{recipient}"] = customer.add_endpoint(recipient, url)["secret"]
    with ExitStack() as stack:
        inboxes = [stack.enter_context(customer.inbox(recipient)) for recipient in recipients[:WATCHED]]
        yield Scene(victim, http_receiver, recipients, secrets, inboxes, name)


def kill_child(platform: Platform) -> None:
    os.kill(platform.pids()["worker_child"][0], signal.SIGKILL)


def freeze_child(platform: Platform, seconds: float) -> None:
    child = platform.pids()["worker_child"][0]
    os.kill(child, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(child, signal.SIGCONT)


def kill_valkey_with_its_data(platform: Platform) -> None:
    """Frozen first, so that the data are gone before another takes its place."""
    pid = platform.kill("valkey", signal.SIGSTOP)
    for path in (platform.data_dir / "valkey").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    os.kill(pid, signal.SIGKILL)
    platform.wait_until_replaced("valkey", pid)


def kill_and_wait(platform: Platform, role: str) -> None:
    platform.wait_until_replaced(role, platform.kill(role))


def test_workers_killed(scene: Scene) -> None:
    with scene.driver() as driver:
        scene.when_arrived(COUNT // 10, lambda: kill_child(scene.platform))
        scene.when_arrived(4 * COUNT // 10, lambda: kill_and_wait(scene.platform, "worker"))
        scene.when_arrived(7 * COUNT // 10, lambda: kill_child(scene.platform))
        scene.verify(driver)
    assert driver.unanswered == 0
    assert scene.count_attempts("a.outcome IS NULL") > 0, "no kill hit an attempt under way"


def test_a_worker_frozen_past_its_leases(scene: Scene) -> None:
    """It wakes up with attempts that others have made meanwhile: what it still has to say comes too late."""
    with scene.driver() as driver:
        scene.when_arrived(COUNT // 5, lambda: freeze_child(scene.platform, 1.5 * LEASE_SECONDS))
        scene.verify(driver)
    assert driver.unanswered == 0
    wait_for(lambda: scene.count_attempts("NOT a.applied"), timeout_seconds=30, what="a late outcome to be noted")


def test_valkey_killed_with_all_its_data(scene: Scene) -> None:
    with scene.driver() as driver:
        driver.when_accepted(COUNT // 4, lambda: kill_valkey_with_its_data(scene.platform))
        scene.when_arrived(COUNT // 2, lambda: kill_valkey_with_its_data(scene.platform))
        scene.verify(driver)
    assert driver.unanswered == 0


def test_the_api_killed(scene: Scene) -> None:
    with scene.driver() as driver:
        for part in (1, 2):
            driver.when_accepted(part * COUNT // 3, lambda: kill_and_wait(scene.platform, "web"))
        scene.verify(driver)
    assert driver.unanswered > 0
    assert all(inbox.connects > 1 for inbox in scene.inboxes)


def test_postgresql_killed(scene: Scene) -> None:
    with scene.driver() as driver:
        driver.when_accepted(COUNT // 3, lambda: kill_and_wait(scene.platform, "postgres"))
        scene.when_arrived(COUNT // 3, lambda: kill_and_wait(scene.platform, "postgres"))
        scene.verify(driver)
    assert driver.unanswered > 0
