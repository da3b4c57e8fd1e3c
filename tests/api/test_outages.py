"""PostgreSQL away: an honest 503 in time, and back without a restart. Redis away: still 202.

The server is a process of its own on a database and a Valkey of the test's own, which are killed and started again.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.launcher.places import find_place
from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from notifications import api_keys
from tests.api.asking import assert_problem, notification
from tests.fixtures.servers import RunningServer

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
HONEST_SECONDS = 2.0
# A machine that has other things to do may be late once; it is not late every time.
TRIES = 3


class Served:
    """One API process with its servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._embedded = EmbeddedPostgres(folder, durable=False)
        self.postgres = RunningServer(self._embedded, folder / "postgres.log")
        self.valkey = RunningServer(EmbeddedValkey(folder), folder / "valkey.log")
        self.key = api_keys.generate()
        self._env = {
            **os.environ,
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "CARILLON_API_KEY": self.key,
            "CARILLON_ADMIN_PASSWORD": "a password",
            "CARILLON_INSTANCE": "outage-test",
        }
        for command in ("migrate", "carillon_bootstrap"):
            self._run("manage.py", command).wait(PATIENCE_SECONDS)
        socket_path = str(folder / "s")
        # It listens before the server is there, so that no first look comes too early.
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(socket_path)
            listener.listen()
            self._process = self._run("-m", "deploy.web", "--fd", str(listener.fileno()), pass_fds=[listener.fileno()])
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=socket_path, verify=False),
            base_url="http://api.test",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        )
        try:
            wait_for(lambda: self.http.get("/readyz").status_code == 200)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.http.close()
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        self.valkey.stop()
        self.postgres.stop()
        self._embedded.release()
        shutil.rmtree(find_place(self._folder).home, ignore_errors=True)

    def _run(self, *arguments: str, pass_fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self._env,
            pass_fds=pass_fds,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def wait_for(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not probe():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests of this module: each leaves the servers running."""
    instance = Served(tmp_path_factory.mktemp("outages"))
    yield instance
    instance.stop()


def send(served: Served) -> httpx.Response:
    return served.http.post("/v1/notifications", json=notification())


def accepted(served: Served) -> int:
    return len(served.http.get("/v1/notifications", params={"limit": 100}).json()["data"])


def inbox_token(served: Served) -> dict[str, str]:
    token = served.http.post("/v1/recipients/u1/tokens").json()["token"]
    return {"Authorization": f"Bearer {token}"}


def assert_honest(ask: Callable[[], httpx.Response]) -> None:
    """A 503 that says so, within the contract's time."""
    took = []
    for _ in range(TRIES):
        answer = ask()
        assert_problem(answer, 503, code="unavailable")
        assert answer.headers["retry-after"] == "1"
        took.append(answer.elapsed.total_seconds())
        if took[-1] <= HONEST_SECONDS:
            return
    raise AssertionError(f"{answer.request.url} took {took} s")


def test_postgresql_away_and_back(served: Served) -> None:
    before = accepted(served)
    assert send(served).status_code == 202
    assert served.http.put("/v1/recipients/u1", json={}).status_code == 201
    inbox = inbox_token(served)
    assert served.http.get("/v1/inbox/messages", headers=inbox).status_code == 200
    served.postgres.kill()
    for ask in (
        lambda: send(served),
        lambda: served.http.get("/v1/recipients/u1"),
        lambda: served.http.put("/v1/recipients/u2", json={}),
        lambda: served.http.post(
            "/v1/topics/t/subscriptions", json={"recipients": ["u1"]}, headers={"Idempotency-Key": "k"}
        ),
        lambda: served.http.get("/v1/topics", headers={"Authorization": "Bearer " + "unknown" * 6}),
        lambda: served.http.get("/v1/inbox/messages", headers=inbox),
        lambda: served.http.get("/v1/inbox/events", headers={**inbox, "Accept": "text/event-stream"}),
        lambda: served.http.post("/v1/inbox/read-all", headers=inbox),
    ):
        assert_honest(ask)
    ready = served.http.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["degraded"] == ["postgresql"]
    assert ready.json()["instance"] == "outage-test"
    assert served.http.get("/healthz").status_code == 200
    assert "carillon_database_up 0.0" in served.http.get("/metrics", headers={"Accept": "text/plain"}).text
    served.postgres.start()
    wait_for(lambda: served.http.get("/readyz").status_code == 200)
    wait_for(lambda: served.http.get("/v1/recipients/u1").status_code == 200)
    wait_for(lambda: served.http.get("/v1/inbox/counts", headers=inbox).status_code == 200)
    wait_for(lambda: send(served).status_code == 202)
    assert accepted(served) == before + 2
    assert served.http.get("/v1/recipients/u2").status_code == 404
    assert served.http.get("/v1/topics/t").status_code == 404


def test_redis_away_is_degraded_but_accepts(served: Served) -> None:
    before = accepted(served)
    served.valkey.kill()
    ready = served.http.get("/readyz")
    assert (ready.status_code, ready.json()["degraded"]) == (200, ["redis", "worker", "beat"])
    assert [send(served).status_code for _ in range(20)] == [202] * 20
    assert served.http.post("/v1/inbox/read-all", headers=inbox_token(served)).status_code == 200
    assert accepted(served) == before + 20
    served.valkey.start()
    wait_for(lambda: served.http.get("/readyz").json()["degraded"] == ["worker", "beat"])


def test_redis_away_is_no_presence_but_right_counts(served: Served) -> None:
    inbox, where = inbox_token(served), "/v1/recipients/u1/presence"
    assert served.http.get("/v1/inbox/counts", headers=inbox).status_code == 200
    known = served.http.get(where).json()
    assert (known["online"], known["devices"]) == (False, 0)
    served.valkey.kill()
    unknown = served.http.get(where)
    assert unknown.status_code == 200
    assert unknown.json() == {**known, "online": None, "devices": None}
    for _ in range(3):
        assert served.http.get("/v1/inbox/counts", headers=inbox).status_code == 200
    assert_problem(served.http.get("/v1/recipients/nobody/presence"), 404)
    # Without a hint, too, what is revoked is refused wherever PostgreSQL is asked.
    assert served.http.post("/v1/recipients/u1/tokens/revoke").status_code == 200
    for path in ("counts", "messages", "events"):
        assert_problem(served.http.get(f"/v1/inbox/{path}", headers=inbox), 401)
    assert served.valkey.process is not None
    served.valkey.start()
    wait_for(lambda: served.http.get(where).json() == known)
    wait_for(lambda: served.http.get("/v1/inbox/counts", headers=inbox_token(served)).status_code == 200)


def test_redis_frozen_delays_counts_and_presence_a_little(served: Served) -> None:
    inbox = inbox_token(served)
    assert served.http.get("/v1/inbox/counts", headers=inbox).status_code == 200
    assert served.valkey.process is not None
    served.valkey.process.send_signal(signal.SIGSTOP)
    try:
        counts = [served.http.get("/v1/inbox/counts", headers=inbox) for _ in range(5)]
        presence = served.http.get("/v1/recipients/u1/presence")
        revoked = served.http.post("/v1/recipients/u1/tokens/revoke")
    finally:
        served.valkey.process.send_signal(signal.SIGCONT)
    assert [answer.status_code for answer in counts] == [200] * 5
    assert (presence.status_code, presence.json()["online"]) == (200, None)
    assert revoked.status_code == 200
    # What Redis kept meanwhile opens the counts for the rest of its few seconds at most.
    wait_for(lambda: served.http.get("/v1/inbox/counts", headers=inbox).status_code == 401)


def test_postgresql_frozen_is_as_good_as_away(served: Served) -> None:
    assert send(served).status_code == 202
    inbox = inbox_token(served)
    assert served.postgres.process is not None
    family = psutil.Process(served.postgres.process.pid)
    frozen = [family, *family.children(recursive=True)]
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    try:
        for ask in (
            lambda: send(served),
            lambda: send(served),
            lambda: served.http.get("/v1/recipients"),
            lambda: served.http.get("/v1/recipients/u1"),
            lambda: served.http.put("/v1/recipients/u2", json={}),
            lambda: served.http.post(
                "/v1/topics/t/subscriptions", json={"recipients": ["u1"]}, headers={"Idempotency-Key": "k2"}
            ),
            lambda: served.http.get("/v1/topics", headers={"Authorization": "Bearer " + "unknown" * 6}),
            lambda: served.http.get("/v1/inbox/messages", headers=inbox),
            lambda: served.http.get("/v1/inbox/events", headers={**inbox, "Accept": "text/event-stream"}),
            lambda: served.http.post("/v1/inbox/read-all", headers=inbox),
        ):
            assert_honest(ask)
        assert served.http.get("/readyz").status_code == 503
    finally:
        for process in frozen:
            process.send_signal(signal.SIGCONT)
    wait_for(lambda: served.http.get("/v1/recipients").status_code == 200)
    wait_for(lambda: served.http.get("/v1/inbox/messages", headers=inbox).status_code == 200)
    wait_for(lambda: send(served).status_code == 202)
