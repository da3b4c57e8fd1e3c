"""The inbox over HTTP: what a recipient sees and does, by whom, from which pages, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from channels.layers import get_channel_layer

from api import throttle
from notifications.database import connect
from notifications.events import inbox_group
from notifications.inbox import reads
from tests.api.asking import Tenant, assert_problem
from tests.api.following import Member
from tests.consumers.inbox import Owner

Join = Callable[[Owner], Member]
PAGE_ORIGIN = "https://app.example"


async def offsets(member: Member, **params: Any) -> list[int]:
    return [message["offset"] for message in (await member.get("messages", **params))["data"]]


async def test_messages_are_shown_as_they_were_published(member: Member) -> None:
    written = await member.owner.append(3)
    page = await member.get("messages")
    assert page == {"data": [event["message"] for event in reversed(written)], "next": None, "previous": None}


async def test_pages_forth_and_back(member: Member) -> None:
    await member.owner.append(5)
    first = await member.get("messages", limit=2)
    second = await member.get("messages", limit=2, after=first["next"])
    third = await member.get("messages", limit=2, after=second["next"])
    await member.owner.append()
    shown = [[message["offset"] for message in page["data"]] for page in (first, second, third)]
    assert shown == [[5, 4], [3, 2], [1]]
    assert (first["previous"], third["next"]) == (None, None)
    assert (await member.get("messages", limit=2, before=third["previous"]))["data"] == second["data"]
    back = await member.get("messages", limit=2, before=second["previous"])
    assert back["data"] == first["data"]
    assert await offsets(member, before=back["previous"]) == [6]


async def test_statuses_and_counts(member: Member) -> None:
    messages = [event["message"] for event in await member.owner.append(4)]
    await member.act(messages[0], "read")
    await member.act(messages[1], "seen")
    await member.act(messages[2], "archive")
    assert await offsets(member, status="unread") == [4, 2]
    assert await offsets(member, status="unseen") == [4]
    assert await offsets(member, status="archived") == [3]
    assert await offsets(member, status="all") == await offsets(member) == [4, 2, 1]
    counts = await member.get("counts")
    assert (counts["unread"], counts["unseen"], counts["offset"]) == (2, 1, 7)
    assert counts["epoch"] == member.owner.written[0]["epoch"]


async def test_categories(member: Member) -> None:
    await member.owner.append(3)
    async with await connect() as conn:
        await conn.execute(
            """UPDATE notifications_inboxmessage SET category = 'bills' WHERE recipient_id = %s AND "offset" <> 2""",
            [member.owner.pk],
        )
    first = await member.get("messages", category="bills", limit=1)
    assert [message["offset"] for message in first["data"]] == [3]
    assert await offsets(member, category="bills", after=first["next"]) == [1]
    assert await offsets(member, category="none") == []


async def test_each_action_answers_the_message_and_repeats_harmlessly(member: Member) -> None:
    [event] = await member.owner.append()
    for action, at, is_set in [
        ("seen", "seen_at", True),
        ("read", "read_at", True),
        ("unread", "read_at", False),
        ("archive", "archived_at", True),
        ("unarchive", "archived_at", False),
    ]:
        answer = await member.act(event["message"], action)
        assert (answer[at] is not None) is is_set
        position = await member.position()
        assert await member.act(event["message"], action) == answer
        assert await member.position() == position
    assert position["since"] == 6


async def test_all_at_once(member: Member) -> None:
    await member.owner.append(3)
    seen = await member.post("seen-all")
    assert (seen["unread"], seen["unseen"], seen["offset"]) == (3, 0, 6)
    read = await member.post("read-all")
    assert (read["unread"], read["unseen"], read["offset"]) == (0, 0, 9)
    assert await member.post("read-all") == read == await member.get("counts")


async def test_every_device_is_told_of_a_change(member: Member) -> None:
    written = await member.owner.append(2)
    layer = get_channel_layer()
    channel = await layer.new_channel("test.")
    await layer.group_add(inbox_group(member.owner.pk), channel)
    changed = await member.act(written[0]["message"], "read")
    event = await layer.receive(channel)
    assert (event["event"], event["offset"], event["message"]) == ("message.updated", 3, changed)
    assert event["counts"] == {"unread": 1, "unseen": 1}
    await member.post("read-all")
    assert (await layer.receive(channel))["offset"] == 4


async def test_who_has_the_current_state_gets_304(member: Member) -> None:
    [event] = await member.owner.append()
    for path in ("messages", "messages?status=unread", "counts"):
        first = await member.http.get(f"/v1/inbox/{path}")
        headers = {"If-None-Match": f'"other", {first.headers["etag"]}'}
        again = await member.http.get(f"/v1/inbox/{path}", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "Authorization" in again.headers["vary"]
        await member.act(event["message"], "read")
        await member.act(event["message"], "unread")
        changed = await member.http.get(f"/v1/inbox/{path}", headers=headers)
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]


async def test_somebody_elses_messages(member: Member, stranger: Owner, join: Join) -> None:
    [event] = await stranger.append()
    await member.owner.append()
    answer = await member.http.post(f"/v1/inbox/messages/{event['message']['id']}/read")
    assert_problem(answer, 404, code="not_found")
    assert await offsets(member) == [1]
    other = join(stranger)
    assert (await other.get("counts"))["unread"] == 1
    await stranger.append()
    cursor = (await other.get("messages", limit=1))["next"]
    assert_problem(await member.http.get("/v1/inbox/messages", params={"after": cursor}), 422, pointer="/after")


ASKED = [
    ("GET", "messages"), ("GET", "counts"), ("GET", "events"), ("POST", "read-all"), ("POST", "seen-all"),
    ("POST", "messages/msg_06dj3k5w8m7q2v4x6y8z0a2c4e/read"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_bad_tokens(member: Member, tenant: Tenant, method: str, path: str) -> None:
    good = member.owner.token()
    bad = ["x", "x" * 5000, good[:-4] + "AAAA", good + "x", tenant.key, member.owner.token(-60), "a.b.c", "é"]
    for token in bad:
        answer = await member.http.request(
            method, f"/v1/inbox/{path}", headers={"Authorization": f"Bearer {token}".encode()}
        )
        assert_problem(answer, 401, code="unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_a_recipient_who_is_gone(member: Member, method: str, path: str) -> None:
    async with await connect() as conn:
        await conn.execute("DELETE FROM notifications_inbox WHERE recipient_id = %s", [member.owner.pk])
        await conn.execute("DELETE FROM notifications_recipient WHERE id = %s", [member.owner.pk])
    assert_problem(await member.http.request(method, f"/v1/inbox/{path}"), 401, code="unauthorized")


def test_a_token_opens_nothing_else(tenant: Tenant) -> None:
    token = tenant.http.post("/v1/recipients/u1/tokens").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert tenant.http.get("/v1/inbox/counts", headers=headers).json()["unread"] == 0
    for path in ("/v1/notifications", "/v1/recipients", "/v1/recipients/u1"):
        assert_problem(tenant.http.get(path, headers=headers), 401, code="unauthorized")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("messages?status=new", "/status"),
        ("messages?status=", "/status"),
        ("messages?limit=0", "/limit"),
        ("messages?limit=101", "/limit"),
        ("messages?after=x", "/after"),
        ("messages?after=x&before=y", "/before"),
        ("messages?status=all&status=all", "/status"),
        ("messages?category=%00", "/category"),
        ("messages?recipient=u1", "/recipient"),
        ("counts?status=all", "/status"),
        ("events?since=-1", "/since"),
        ("events?since=1.0", "/since"),
        ("events?since=9223372036854775808", "/since"),
        ("events?since=%D9%A1", "/since"),
        ("events?wait=26", "/wait"),
        ("events?wait=x", "/wait"),
        ("events?wait=", "/wait"),
        ("events?epoch=%00&since=1", "/epoch"),
        ("events?token=x", "/token"),
    ],
)
async def test_queries_that_are_refused(member: Member, path: str, pointer: str) -> None:
    assert_problem(await member.http.get(f"/v1/inbox/{path}"), 422, code="invalid", pointer=pointer)


async def test_what_is_not_there(member: Member) -> None:
    [event] = await member.owner.append()
    message_id = event["message"]["id"]
    for path in (f"{message_id}/delete", f"{message_id}/read_all", "x/read", "ntf_" + message_id[4:] + "/read"):
        assert_problem(await member.http.post(f"/v1/inbox/messages/{path}"), 404, code="not_found")
    assert_problem(await member.http.get(f"/v1/inbox/messages/{message_id}/read"), 405)
    assert_problem(await member.http.options("/v1/inbox/messages"), 405)
    assert_problem(await member.http.get("/v1/inbox/events", headers={"Accept": "text/html"}), 406)
    assert (await member.position())["since"] == 1


async def test_the_log_and_the_messages_agree(member: Member) -> None:
    """A refused change leaves no trace; an accepted one leaves exactly one entry."""
    [event] = await member.owner.append()
    await member.http.post("/v1/inbox/messages/msg_06dj3k5w8m7q2v4x6y8z0a2c4e/read")
    await member.act(event["message"], "read")
    await member.act(event["message"], "read")
    async with await connect() as conn:
        entries = await reads.changes(conn, member.owner.pk, after=0, upto=99)
        [message] = await reads.messages(conn, member.owner.pk)
    assert [entry.kind for entry in entries] == ["message.created", "message.updated"]
    assert message["read_at"] is not None


async def preflight(member: Member, origin: str, path: str = "messages") -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    return await member.http.options(f"/v1/inbox/{path}", headers=headers)


async def test_pages_of_allowed_origins(member: Member, settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [PAGE_ORIGIN]
    for origin in (PAGE_ORIGIN, settings.PUBLIC_URL):
        asked = await preflight(member, origin)
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == origin
        assert "GET" in asked.headers["access-control-allow-methods"]
        assert "authorization" in asked.headers["access-control-allow-headers"].lower()
        answer = await member.http.get("/v1/inbox/counts", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
    refused = await member.http.get("/v1/inbox/counts", headers={"Origin": PAGE_ORIGIN, "Authorization": "Bearer x"})
    assert_problem(refused, 401)
    assert refused.headers["access-control-allow-origin"] == PAGE_ORIGIN
    events = await preflight(member, PAGE_ORIGIN, "events")
    assert "last-event-id" in events.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example", "null", "http://api.test", "x"])
async def test_pages_of_other_origins(member: Member, settings: Any, origin: str) -> None:
    settings.ALLOWED_ORIGINS = [PAGE_ORIGIN]
    asked = await preflight(member, origin)
    assert_problem(asked, 403, code="origin_refused")
    answer = await member.http.get("/v1/inbox/counts", headers={"Origin": origin})
    for headers in (asked.headers, answer.headers):
        assert "access-control-allow-origin" not in headers


async def test_too_many_requests_of_one_recipient(member: Member, stranger: Owner, join: Join, settings: Any) -> None:
    settings.CARILLON_RATE_LIMIT_PER_MINUTE = 30
    throttle._due.clear()
    answers = [await member.http.get("/v1/inbox/counts") for _ in range(8)]
    other = await join(stranger).http.get("/v1/inbox/counts")
    throttle._due.clear()
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert other.status_code == 200
