"""The unread count, asked again and again by one client of one API process, beside a bare ASGI function on the same server."""

from typing import Final

import httpx

from deploy.launcher import children
from tests.bench.accept import BARE, serve
from tests.bench.load import Load, run_load
from tests.bench.processes import HttpServer, Servers, open_listener
from tests.bench.report import Bench, Goal

COUNT: Final = "unread count p50"
BESIDE: Final = f"{BARE}, one client p50"


def measure(bench: Bench) -> None:
    """One request at a time over one kept connection, a valid inbox token with each; `expected` answers are 200s with the count."""
    with Servers() as servers:
        listener = open_listener("127.0.0.1", 0)
        product = HttpServer(children.web(1, listener.fileno(), servers.env), listener, servers.folder)
        bare = serve(servers, "bare", "tests.bench.bare:application", {})
        try:
            for server in (product, bare):
                server.wait_until_answering("/v1/notifications")
            token = _token(product, servers.api_key)
            for number in bench.rounds("unread", 5):
                _ask(bench, COUNT, product, f"Bearer {token}", 200)
                _ask(bench, BESIDE, bare, f"Bearer {token}", 202)
                bench.say(f"unread, round {number}: {bench.series[COUNT].values[-1] * 1000:.0f} µs")
        finally:
            for server in (product, bare):
                server.child.stop()
    bench.compare(COUNT, BESIDE, Goal(3.0, "<= 3 x a bare ASGI function", below=True))


def _token(server: HttpServer, api_key: str) -> str:
    headers = {"Authorization": f"Bearer {api_key}"}
    base = f"http://{server.host}:{server.port}"
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        client.put("/v1/recipients/reader", json={}).raise_for_status()
        answer = client.post("/v1/recipients/reader/tokens", json={}).raise_for_status()
        token: str = answer.json()["token"]
        counts = client.get("/v1/inbox/counts", headers={"Authorization": f"Bearer {token}"}).raise_for_status()
        if counts.json()["unread"] != 0:
            raise RuntimeError(f"not the counts of an empty inbox: {counts.text}")
    return token


def _ask(bench: Bench, name: str, server: HttpServer, authorization: str, status: int) -> None:
    result = run_load(
        Load(
            host=server.host,
            port=server.port,
            path="/v1/inbox/counts",
            method="GET",
            headers={"Authorization": authorization},
            connections=1,
            seconds=2.0 if bench.quick else 5.0,
            expected_status=status,
        )
    )
    server.child.assert_running()
    bench.add(name, "ms", result.p50_ms)
    bench.note(name, "p99 ms", result.p99_ms)
    bench.note(name, "requests/s", result.per_second)
