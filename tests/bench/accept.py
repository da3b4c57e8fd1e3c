"""Durable accepts per second of one API process, beside a bare ASGI function and the ordinary way."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

from deploy.launcher import children
from tests.bench.load import MARK, Load, LoadResult, run_load
from tests.bench.processes import HttpServer, Servers, open_listener, python
from tests.bench.report import Bench, Goal

BARE, ORDINARY = "bare ASGI function", "the ordinary way"
ORDINARY_DATABASE = "ordinary"
BODY = json.dumps(
    {
        "recipients": [MARK],
        "channels": ["in_app", "email"],
        "content": {
            "title": "Order 1042 has been shipped",
            "body": "Your parcel is on its way and should arrive on **Thursday**.\n\nTrack it any time.",
            "action_url": "https://shop.example.com/orders/1042",
        },
    }
)


@dataclass
class Contender:
    """One of the servers compared; `database` is where its 202s must have become rows."""

    name: str
    server: HttpServer
    database: str | None
    accepted: int = 0


def measure(bench: Bench) -> None:
    """No Celery worker runs, so acceptance alone is measured."""
    with Servers() as servers:
        contenders = _start(servers)
        try:
            _run_rounds(bench, servers, contenders)
        finally:
            for contender in contenders:
                contender.server.child.stop()
    bench.compare("accept", ORDINARY, Goal(10.0, "10 x the ordinary way"))
    bench.compare("accept", BARE, Goal(0.12, "0.12 x a bare ASGI function"))


def _run_rounds(bench: Bench, servers: Servers, contenders: list[Contender]) -> None:
    for number in bench.rounds("accept", 5):
        for contender in contenders:
            cpu = contender.server.child.cpu_seconds()
            try:
                result = run_load(_load(bench, servers, contender))
            except RuntimeError as error:
                raise RuntimeError(f"{contender.name}: {error}\n{contender.server.child.log()}") from error
            contender.server.child.assert_running()
            contender.accepted += result.expected
            _record(bench, contender, result, contender.server.child.cpu_seconds() - cpu)
            bench.say(
                f"accept, round {number}: {contender.name} {result.per_second:,.0f}/s, p99 {result.p99_ms:.1f} ms"
            )
            redis.Redis.from_url(servers.redis_url).flushall()
    for contender in contenders:
        if contender.database:
            rows = _count_rows(contender.database)
            if rows != contender.accepted:
                raise RuntimeError(f"{contender.name}: {contender.accepted} times 202, but {rows} rows")


def _record(bench: Bench, contender: Contender, result: LoadResult, cpu_seconds: float) -> None:
    bench.add(contender.name, "accepts/s", result.per_second)
    bench.note(contender.name, "p50 ms", result.p50_ms)
    bench.note(contender.name, "p99 ms", result.p99_ms)
    bench.note(contender.name, "server CPU µs/request", cpu_seconds / result.expected * 1e6)
    bench.note(contender.name, "generator CPU µs/request", result.cpu_seconds / result.counted * 1e6)


def _start(servers: Servers) -> list[Contender]:
    ordinary_url = _copy_database(servers.database_url)
    listener = open_listener("127.0.0.1", 0)
    product = children.web(1, listener.fileno(), servers.env)
    contenders = [
        Contender("accept", HttpServer(product, listener, servers.folder), servers.database_url),
        Contender(BARE, serve(servers, "bare", "tests.bench.bare:application", {}), None),
        Contender(
            ORDINARY,
            serve(servers, "ordinary", "tests.bench.ordinary.asgi:application", {"DATABASE_URL": ordinary_url}),
            ordinary_url,
        ),
    ]
    for contender in contenders:
        contender.server.wait_until_answering("/v1/notifications")
    return contenders


def serve(servers: Servers, name: str, application: str, env: dict[str, str]) -> HttpServer:
    """Another application on the product's server: one process, the same settings."""
    listener = open_listener("127.0.0.1", 0)
    arguments = ["-m", "tests.bench.serve", "--fd", str(listener.fileno()), "--app", application]
    return HttpServer(python(name, arguments, servers.env | env, (listener.fileno(),)), listener, servers.folder)


def _load(bench: Bench, servers: Servers, contender: Contender) -> Load:
    return Load(
        host=contender.server.host,
        port=contender.server.port,
        path="/v1/notifications",
        body=BODY,
        headers={"Authorization": f"Bearer {servers.api_key}"},
        seconds=2.0 if bench.quick else 5.0,
    )


def _copy_database(url: str) -> str:
    """The ordinary way writes the same tables, but in a database of its own, so that each writes into as many rows as it made."""
    source = Path(urlsplit(url).path).name
    with psycopg.connect(_with_database(url, "template1"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{ORDINARY_DATABASE}" TEMPLATE "{source}"')
    return _with_database(url, ORDINARY_DATABASE)


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _count_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM notifications_notification").fetchone()
        assert row is not None
        return int(row[0])
