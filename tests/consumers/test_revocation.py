"""Tokens that are taken back and recipients who are erased: their sockets close, and nothing opens again."""

import asyncio
from typing import Any

import pytest

from consumers.conf import ConsumersConf
from delivery.erasing import erase_recipient
from notifications.database import connect
from notifications.events import access_hint
from notifications.executor import in_thread
from notifications.inbox.publish import publish
from notifications.services.tokens import revoke_tokens
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Client, Owner


async def revoke(owner: Owner) -> None:
    """As the API does, but that nobody is told yet."""
    pk, _ = await in_thread(revoke_tokens, project_id=owner.project_id, external_id=owner.external_id)
    assert pk == owner.pk


async def refused(client: Client, token: str) -> bool:
    await client.send({"id": 1, "connect": {"token": token}})
    return await client.close_code() == 4401


async def test_every_socket_of_older_tokens_is_closed(owner: Owner, stranger: Owner, open_socket: MakeClient) -> None:
    old = owner.token()
    first, second, other = [await open_socket() for _ in range(3)]
    for client, token in ((first, old), (second, owner.token()), (other, stranger.token())):
        await client.connect(token)
    await revoke(owner)
    await publish([access_hint(owner.pk)])
    assert [await first.close_code(), await second.close_code()] == [4401, 4401]
    assert await refused(await open_socket(), old)
    fresh = await open_socket()
    assert (await fresh.connect(owner.token()))["recipient"] == owner.external_id
    await publish([access_hint(owner.pk)])  # old news
    await publish([*await owner.append(), *await stranger.append()])
    await fresh.follow_to(1)
    await other.follow_to(1)


async def test_erased(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    token = owner.token()
    await client.connect(token)
    pk = await in_thread(erase_recipient, project_id=owner.project_id, external_id=owner.external_id)
    await publish([access_hint(pk)])
    assert await client.close_code() == 4401
    assert await refused(await open_socket(), token)


async def test_a_lost_hint_only_delays_it(owner: Owner, open_socket: MakeClient, settings: Any) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, ping_seconds=0.3)
    client = await open_socket()
    await client.connect(owner.token())
    await client.next_position()
    await revoke(owner)
    assert await client.close_code() == 4401


@pytest.mark.parametrize("command", [{"list": {}}, {"read_all": {}}, {"seen_all": {}}])
async def test_a_socket_that_was_not_told_does_nothing_more(
    owner: Owner, open_socket: MakeClient, command: dict[str, Any]
) -> None:
    await owner.append(2)
    client = await open_socket()
    await client.connect(owner.token())
    await revoke(owner)
    await client.send({"id": 2, **command})
    assert await client.close_code() == 4401
    async with await connect() as conn:
        cursor = await conn.execute(
            'SELECT "offset", unread FROM notifications_inbox WHERE recipient_id = %s', [owner.pk]
        )
        assert await cursor.fetchone() == (2, 2)


async def test_nobody_slips_in_while_tokens_are_revoked(owner: Owner, open_socket: MakeClient) -> None:
    """Sockets that connect at that moment with older tokens are refused or closed, wherever in the handshake they are."""
    clients = [await open_socket() for _ in range(8)]
    token = owner.token()

    async def enter(client: Client, turn: int) -> int | None:
        for _ in range(turn):
            await asyncio.sleep(0)
        await client.send({"id": 1, "connect": {"token": token}})
        return await client.close_code()

    async def end() -> None:
        await revoke(owner)
        await publish([access_hint(owner.pk)])

    *codes, _ = await asyncio.gather(*(enter(client, 10 * n) for n, client in enumerate(clients)), end())
    assert codes == [4401] * 8


async def test_revoking_again_never_goes_back(owner: Owner, open_socket: MakeClient) -> None:
    await asyncio.gather(*(revoke(owner) for _ in range(4)))
    client = await open_socket()
    await client.connect(owner.token())
