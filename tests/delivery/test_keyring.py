"""Which DKIM keys sign for which project, as a process reads them."""

from typing import Any
from uuid import UUID

from delivery.dkim_keys import create_dkim_key
from delivery.keyring import Keyring
from delivery.models import DkimKey
from notifications import ids
from notifications.executor import in_thread
from tests.delivery.world import World

RSA, ED = DkimKey.Algorithm.RSA, DkimKey.Algorithm.ED25519


async def make(selector: str, *, domain: str = "a.example", algorithm: Any = ED, **more: Any) -> DkimKey:
    return await in_thread(
        create_dkim_key, domain=domain, selector=selector, algorithm=algorithm, **{"active": True, **more}
    )


async def selectors(world: World, *projects: UUID) -> list[list[str]]:
    keyring = Keyring()
    await keyring.refresh(world.connection)
    return [[key.selector for key in keyring.keys_of(project)] for project in projects]


async def test_the_newest_active_key_of_each_algorithm_signs(world: World) -> None:
    assert await selectors(world, world.project_id) == [[]]
    await make("ed1")
    await make("rsa1", algorithm=RSA)
    await make("ed2")
    await make("ed3", active=False)
    assert await selectors(world, world.project_id) == [["rsa1", "ed2"]]


async def test_a_projects_own_key_goes_before_everybodys(world: World) -> None:
    other = ids.new_uuid()
    await make("own", project_id=world.project_id)
    await make("all")
    await make("rsa", algorithm=RSA)
    await make("b", domain="b.example")
    assert await selectors(world, world.project_id, other) == [["rsa", "own", "b"], ["rsa", "all", "b"]]


async def test_a_key_that_cannot_be_opened_is_known_as_broken(world: World, caplog: Any) -> None:
    key = await make("s1")
    await world.connection.execute("UPDATE delivery_dkimkey SET sealed_private_key = 'gAAAAA' WHERE id = %s", (key.pk,))
    keyring = Keyring()
    await keyring.refresh(world.connection)
    assert [(found.selector, found.pem) for found in keyring.keys_of(world.project_id)] == [("s1", "")]


async def test_what_is_known_is_not_read_again_at_once(world: World) -> None:
    keyring = Keyring()
    await keyring.refresh(world.connection)
    await make("s1")
    await keyring.refresh(world.connection)
    assert keyring.keys_of(world.project_id) == ()
