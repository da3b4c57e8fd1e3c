"""The server stops: streams end as streams do, long polls are answered, and nobody keeps it from stopping."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from notifications.database import connection_options
from tests.api.following import PATIENCE_SECONDS, Member, following
from tests.consumers.inbox import Owner

Server = subprocess.Popen[bytes]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    """A web process of its own as the launcher starts it, on the tests' database: its socket's path and itself."""
    place = connection_options()
    path = str(tmp_path_factory.mktemp("s") / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    env = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place['user']}@/{place['dbname']}?host={place['host']}",
        "REDIS_URL": settings.REDIS_URLS[0],
        "CARILLON_SECRET_KEY": settings.SECRET_KEY,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.web", "--fd", str(listener.fileno())],
        cwd=ROOT,
        env=env,
        pass_fds=[listener.fileno()],
    )
    listener.close()
    yield path, process
    process.kill()
    process.wait(PATIENCE_SECONDS)


async def test_streams_end_and_polls_are_answered(server: tuple[str, Server], owner: Owner) -> None:
    path, process = server
    client = httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=path),
        base_url="http://api.test",
        headers={"Authorization": f"Bearer {owner.token()}"},
        timeout=60,
    )
    async with client:
        member = Member(owner, client)
        position = await member.position()
        async with member.stream() as events:
            assert (await following(events)).name == "position"
            polls = [asyncio.create_task(member.get("events", **position)) for _ in range(3)]
            # All wait when a later request has been answered and none of them has.
            for _ in range(10):
                await member.position()
            assert not any(poll.done() for poll in polls)
            process.terminate()
            # Without an error: the body was ended, not cut off.
            assert {event.name async for event in events} <= {":"}
            answers = await asyncio.gather(*polls)
        assert [answer["changes"] for answer in answers] == [[]] * 3
        assert {answer["offset"] for answer in answers} == {position["since"]}
    assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) in (0, -signal.SIGTERM)
