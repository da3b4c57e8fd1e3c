"""The journal: what a killed process knew is recorded by whoever lives on, once and fenced."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from delivery.conf import DeliveryConf
from delivery.finish import Finish
from delivery.finishes import Finisher
from delivery.journal import Journal, find_estates
from notifications.ids import new_uuid
from tests.delivery.test_claims import queued, take
from tests.delivery.test_finishes import RETRY, SENT, finish
from tests.delivery.world import World, until

Pool = AsyncConnectionPool[AsyncConnection[Any]]

_KNOWS: str = """
import sys
from pathlib import Path
import msgspec
from delivery.finish import Finish
from delivery.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.add(msgspec.json.decode(sys.argv[2], type=Finish))
print("known", flush=True)
sys.stdin.read()
"""


def files(folder: Path) -> set[Path]:
    return set(folder.iterdir()) if folder.exists() else set()


def sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in files(folder)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outcomes"


@pytest.fixture
def die_knowing(folder: Path) -> Callable[[Finish], Path]:
    """A process learns this outcome and is killed before anything is recorded; its file."""

    def die(finish: Finish) -> Path:
        before = files(folder)
        process = subprocess.Popen(
            [sys.executable, "-c", _KNOWS, str(folder), msgspec.json.encode(finish).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"known\n"
        (path,) = files(folder) - before
        assert find_estates(folder) == []  # the living keep theirs
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        process.stdin.close()
        return path

    return die


def heir(pool: Pool, folder: Path) -> Finisher:
    return Finisher(pool, DeliveryConf(journal_folder=folder))


async def gone(path: Path) -> None:
    async def is_gone() -> bool:
        return path not in files(path.parent)

    await until(is_gone, what="the estate to be recorded")


async def inherit(finisher: Finisher, path: Path) -> None:
    finisher.look_for_estates()
    await gone(path)
    await finisher.aclose()


def unknown(**more: Any) -> Finish:
    """An outcome of a delivery that nobody has."""
    values: dict[str, Any] = {"endpoint_id": None, "channel": "email", "duration_ms": 1, "response": {}, **more}
    return Finish(delivery_id=new_uuid(), token=new_uuid(), verdict=SENT, **values)


async def test_what_a_killed_process_knew_is_recorded_by_another(
    world: World, pool: Pool, folder: Path, die_knowing: Callable[[Finish], Path]
) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    await inherit(heir(pool, folder), die_knowing(finish(item, SENT, address="ä@example.com", request={"n": [1]})))
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["lease_token"]) == ("sent", "accepted", None)
    (attempt,) = await world.attempts(item.delivery_id)
    assert (attempt["outcome"], attempt["applied"], attempt["request"]) == ("accepted", True, {"n": [1]})
    assert files(folder) == set()


async def test_an_estate_that_comes_after_the_lease_has_passed_on_changes_nothing(
    world: World, pool: Pool, folder: Path, die_knowing: Callable[[Finish], Path]
) -> None:
    notification = await queued(world)
    _, (first,) = await take(world.connection)
    path = die_knowing(finish(first, SENT))
    await world.end_leases()
    _, (second,) = await take(world.connection)
    await inherit(heir(pool, folder), path)
    row = await world.delivery(notification)
    assert (row["state"], row["lease_token"]) == ("sending", second.token)
    assert [a["applied"] for a in await world.attempts(first.delivery_id)] == [False, True]


async def test_two_heirs_share_one_estate(
    world: World, pool: Pool, folder: Path, die_knowing: Callable[[Finish], Path]
) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    path = die_knowing(finish(item, RETRY))
    await asyncio.gather(inherit(heir(pool, folder), path), inherit(heir(pool, folder), path))
    row = await world.delivery(notification)
    assert (row["state"], row["retry_step"], row["attempt_count"]) == ("retrying", 1, 1)


async def test_a_line_cut_short_spoils_no_other(
    world: World, pool: Pool, folder: Path, die_knowing: Callable[[Finish], Path]
) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    path = die_knowing(finish(item, SENT))
    with path.open("ab") as file:
        file.write(msgspec.json.encode(unknown())[:-40])
    await inherit(heir(pool, folder), path)
    assert (await world.delivery(notification))["state"] == "sent"


async def test_what_is_recorded_leaves_the_file(world: World, pool: Pool, folder: Path) -> None:
    await queued(world)
    _, (item,) = await take(world.connection)
    finisher = heir(pool, folder)
    assert [path.stat().st_mode & 0o777 for path in files(folder)] == [0o600]
    await finisher.write(finish(item, SENT))
    assert sizes(folder) == [0]
    await finisher.aclose()
    assert files(folder) == set()


def test_a_file_that_grew_keeps_what_waits(folder: Path) -> None:
    journal = Journal(folder)
    (path,) = files(folder)
    for _ in range(300):
        journal.add(unknown(response={"text": "x" * 4000}))
    waiting = [unknown(), unknown()]
    for each in waiting:
        journal.add(each)
    assert path.stat().st_size > 1 << 20
    journal.settle(waiting)
    assert path.stat().st_size < 2000
    os.close(journal._file)  # as death would
    (estate,) = find_estates(folder)
    assert estate.finishes == waiting
    estate.close(recorded=True)


def test_without_a_folder_nothing_is_kept(folder: Path) -> None:
    Journal(None).add(unknown())
    assert find_estates(None) == find_estates(folder) == []
