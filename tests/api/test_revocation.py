"""Tokens that are taken back: refused at every address of the inbox, and what they hold open ends."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from notifications.inbox import head_cache
from notifications.inbox.layer import live_layer
from notifications.models import Recipient
from tests.api.asking import Tenant, assert_problem, token_of
from tests.api.following import PATIENCE_SECONDS, Member, changes_up_to, following, until, watchers_of
from tests.api.test_inbox import ASKED
from tests.consumers.inbox import Owner

REVOKE = "/v1/recipients/u1/tokens/revoke"


@pytest.fixture
def held(tenant: Tenant, join: Callable[[Owner], Member]) -> Member:
    """A recipient of the tenant's, with a token."""
    tenant.http.put("/v1/recipients/u1", json={})
    return join(Owner(tenant.project.pk, Recipient.objects.get(project=tenant.project).pk, "u1"))


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_refused_everywhere(tenant: Tenant, held: Member, method: str, path: str) -> None:
    assert (await held.http.get("/v1/inbox/counts")).status_code == 200
    revoked = tenant.http.post(REVOKE)
    assert revoked.status_code == 200
    assert datetime.fromisoformat(revoked.json()["tokens_valid_from"]) <= datetime.now(UTC)
    # The cache of heads, too, knows it before the revocation is answered.
    assert_problem(await held.http.request(method, f"/v1/inbox/{path}"), 401, code="unauthorized")
    fresh = {"Authorization": f"Bearer {token_of(tenant, 'u1')}"}
    assert (await held.http.get("/v1/inbox/counts", headers=fresh)).status_code == 200


async def test_what_is_held_open_ends(tenant: Tenant, held: Member) -> None:
    position = await held.position()
    async with held.stream() as events:
        assert (await following(events)).name == "position"
        poll = asyncio.create_task(held.get("events", **position))
        await until(lambda: watchers_of(held.owner) == 2)
        assert (await asyncio.to_thread(tenant.http.post, REVOKE)).is_success
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert {event.name async for event in events} <= {":"}
            assert (await poll)["changes"] == []
    await until(lambda: watchers_of(held.owner) == 0)


async def test_erasing_ends_it_as_well(tenant: Tenant, held: Member) -> None:
    async with held.stream() as events:
        assert (await following(events)).name == "position"
        await held.position()
        assert (await asyncio.to_thread(tenant.http.delete, "/v1/recipients/u1")).status_code == 204
        assert_problem(await held.http.get("/v1/inbox/counts"), 401, code="unauthorized")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert {event.name async for event in events} <= {":"}


async def test_a_stream_of_a_later_token_goes_on(tenant: Tenant, held: Member) -> None:
    tenant.http.post(REVOKE)
    async with held.stream(token=token_of(tenant, "u1")) as events:
        assert (await following(events)).name == "position"
        await held.owner.append()
        assert [event.data["offset"] for event in await changes_up_to(events, 1)] == [1]


def test_a_repeated_request_revokes_once(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    headers = {"Idempotency-Key": "lost-phone"}
    first = tenant.http.post(REVOKE, headers=headers)
    token = token_of(tenant, "u1")
    again = tenant.http.post(REVOKE, headers=headers)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    counts = tenant.http.get("/v1/inbox/counts", headers={"Authorization": f"Bearer {token}"})
    assert counts.status_code == 200


def test_of_nobody(tenant: Tenant) -> None:
    for name in ("u1", "%00"):
        assert_problem(tenant.http.post(f"/v1/recipients/{name}/tokens/revoke"), 404, code="not_found")


async def test_counts_are_kept_and_right(tenant: Tenant, held: Member) -> None:
    """What was done by the recipient shows in the next answer, although it comes from Redis."""
    await held.owner.append(3)
    assert (await held.get("counts"))["unread"] == 3
    kept = await live_layer().quick_get(head_cache.key_of(held.owner.pk.hex))
    assert kept is not None and kept.split()[1:4] == [b"3", b"3", b"3"]
    page = await held.get("messages")
    for number, message in enumerate(page["data"], 1):
        await held.act(message, "read")
        counts = await held.get("counts")
        assert (counts["unread"], counts["unseen"], counts["offset"]) == (3 - number, 3 - number, 3 + number)
    # What is not asked plainly is the view's, and the same in every header.
    plain = await held.http.get("/v1/inbox/counts")
    asked = [{"Accept": "application/json"}, {"If-None-Match": '"x"'}, {"Accept": "application/*, text/html;q=0.5"}]
    for headers in asked:
        answer = await held.http.get("/v1/inbox/counts", headers=headers)
        assert (answer.status_code, answer.content) == (200, plain.content)
        assert _compared(answer) == _compared(plain)
    other = httpx.Headers({"If-None-Match": f'"{counts["epoch"].replace("-", "")}.6"'})
    assert (await held.http.get("/v1/inbox/counts", headers=other)).status_code == 304


def _compared(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
