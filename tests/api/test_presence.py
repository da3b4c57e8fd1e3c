"""Presence over HTTP; what becomes of it without Redis is in `test_outages.py`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from notifications.database import connect
from notifications.inbox.layer import live_layer
from notifications.inbox.presence import Present, read_presence, renew_lease, tell_presence
from notifications.models import Recipient
from tests.api.asking import Tenant, assert_problem, token_of
from tests.api.following import PATIENCE_SECONDS, Member

NOBODY = {"online": False, "devices": 0, "connected_since": None, "last_seen_at": None}


@pytest.fixture(autouse=True)
async def layer() -> AsyncIterator[None]:
    """Ends what the test itself opened to Redis."""
    yield
    await live_layer().flush()


def test_of_who_was_never_there(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    assert tenant.http.get("/v1/recipients/u1/presence").json() == NOBODY
    token_of(tenant, "u1")  # makes the inbox
    assert tenant.http.get("/v1/recipients/u1/presence").json() == NOBODY


@pytest.fixture
def recipient(tenant: Tenant) -> Recipient:
    """With an inbox."""
    token_of(tenant, "u1")
    return Recipient.objects.get(project=tenant.project)


async def test_of_who_is_there_and_has_gone(tenant: Tenant, recipient: Recipient) -> None:
    http, row = tenant.http, recipient
    since = datetime(2026, 1, 31, 9, tzinfo=UTC)
    before = datetime.now(UTC)
    await renew_lease("a", 60, number=1)
    await tell_presence([Present(row.pk, 2, since.timestamp())], process="a", keep_seconds=60)
    online = http.get("/v1/recipients/u1/presence").json()
    assert (online["online"], online["devices"]) == (True, 2)
    assert datetime.fromisoformat(online["connected_since"]) == since
    assert before.replace(microsecond=0) <= datetime.fromisoformat(online["last_seen_at"]) <= datetime.now(UTC)
    await tell_presence([Present(row.pk, 0, 0.0)], process="a", keep_seconds=60)
    async with await connect() as conn:
        await conn.execute("UPDATE notifications_inbox SET last_seen_at = %s WHERE recipient_id = %s", [since, row.pk])
    gone = http.get("/v1/recipients/u1/presence").json()
    assert gone == {**NOBODY, "last_seen_at": gone["last_seen_at"]}
    assert datetime.fromisoformat(gone["last_seen_at"]) == since


async def test_streams_are_devices_and_polls_are_not(member: Member, api_socket: str) -> None:
    async def devices() -> int:
        known = await read_presence([member.owner.pk])
        assert known is not None
        return known[member.owner.pk].devices

    async def until_devices(count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await devices() != count:  # noqa: ASYNC110 (what is waited for is in Redis)
                await asyncio.sleep(0.05)

    poll = asyncio.create_task(member.get("events", **await member.position(), wait=25))
    async with member.stream(), member.stream():
        await until_devices(2)
        await member.owner.append()
        assert (await poll)["changes"]
    await until_devices(0)


def test_what_is_refused(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    assert_problem(tenant.http.get("/v1/recipients/u2/presence"), 404, code="not_found")
    assert_problem(tenant.http.get("/v1/recipients/%00/presence"), 404, code="not_found")
    assert_problem(tenant.http.get("/v1/recipients/u1/presence?x=1"), 422, pointer="/x")
    assert_problem(tenant.http.post("/v1/recipients/u1/presence"), 405)
    sender = make_tenant(scopes=("notifications:write",))
    assert_problem(sender.http.get("/v1/recipients/u1/presence"), 403, code="forbidden")
    assert_problem(sender.http.post("/v1/recipients/u1/tokens/revoke"), 403, code="forbidden")
