"""Saying that somebody takes care: over the API, and by the link in a mail; the inbox is told too."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notifications import ids
from notifications.acknowledge_links import acknowledge_url
from notifications.database import connect as connect_database
from notifications.models import InboxMessage, Notification, Recipient
from tests.api.asking import Tenant, add_message, assert_problem, notification, token_of
from tests.api.following import Member, following


@pytest.fixture
def row(tenant: Tenant) -> Notification:
    tenant.http.post("/v1/notifications", json=notification()).raise_for_status()
    return Notification.objects.get(project=tenant.project)


def test_the_first_who_takes_care_stays(tenant: Tenant, row: Notification) -> None:
    where = f"/v1/notifications/{row.public_id}/acknowledge"
    first = tenant.http.post(where, json={"recipient": "lead"})
    assert first.status_code == 200
    assert first.json()["acknowledged_by"] == "lead" and first.json()["acknowledged_at"]
    assert tenant.http.post(where, json={"recipient": "boss"}).json() == first.json()
    assert tenant.http.post(where).json() == first.json()


def test_nobody_in_particular_may_take_care(tenant: Tenant, row: Notification) -> None:
    assert tenant.http.post(f"/v1/notifications/{row.public_id}/acknowledge").json()["acknowledged_by"] is None


def test_what_is_not_there_cannot_be_acknowledged(
    tenant: Tenant, make_tenant: Callable[..., Tenant], row: Notification
) -> None:
    unknown = ids.encode("ntf", ids.new_uuid())
    assert_problem(tenant.http.post(f"/v1/notifications/{unknown}/acknowledge"), 404, code="not_found")
    assert_problem(make_tenant().http.post(f"/v1/notifications/{row.public_id}/acknowledge"), 404, code="not_found")
    row.refresh_from_db()
    assert row.acknowledged_at is None


def path_of(row: Notification, recipient: Recipient) -> str:
    return "/k/" + acknowledge_url(row.id, recipient.id).rpartition("/k/")[2]


def test_the_link_asks_first_and_then_tells_who(
    connect: Callable[..., httpx.Client], tenant: Tenant, row: Notification
) -> None:
    tenant.http.put("/v1/recipients/lead", json={})
    path = path_of(row, Recipient.objects.get(project=tenant.project, external_id="lead"))
    page = connect().get(path)
    assert page.status_code == 200 and "I take care of it" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    row.refresh_from_db()
    assert row.acknowledged_at is None
    german = connect().post(path, headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert german.status_code == 200 and "Sie kümmern sich darum" in german.text
    row.refresh_from_db()
    assert row.acknowledged_by == "lead"


@pytest.mark.parametrize("token", ["x", "a" * 2000, "%00", "../u/x"])
def test_a_forged_link_changes_nothing_and_tells_nothing(
    connect: Callable[..., httpx.Client], row: Notification, token: str
) -> None:
    answer = connect().post(f"/k/{token}")
    assert answer.status_code in (200, 404)
    row.refresh_from_db()
    assert row.acknowledged_at is None


def test_other_methods_are_refused(connect: Callable[..., httpx.Client], row: Notification) -> None:
    assert connect().put("/k/x").status_code == 405


def add_message_of(tenant: Tenant, row: Notification, external_id: str) -> InboxMessage:
    public_id = add_message(tenant, external_id)
    message = InboxMessage.objects.get(pk=ids.decode("msg", public_id))
    InboxMessage.objects.filter(pk=message.pk).update(notification_id=row.pk)
    return message


@pytest.mark.parametrize("by", ["link", "api"])
def test_the_inbox_message_is_acknowledged_with_it_once_and_only_ones_own(
    connect: Callable[..., httpx.Client], tenant: Tenant, row: Notification, by: str
) -> None:
    mine, theirs = add_message_of(tenant, row, "lead"), add_message_of(tenant, row, "boss")
    other = add_message(tenant, "lead")
    token = token_of(tenant, "lead")

    def say() -> None:
        if by == "link":
            connect().post(path_of(row, Recipient.objects.get(project=tenant.project, external_id="lead")))
        else:
            where = f"/v1/notifications/{row.public_id}/acknowledge"
            tenant.http.post(where, json={"recipient": "lead"}).raise_for_status()

    def asked(path: str) -> Any:
        return tenant.http.get(f"/v1/inbox/{path}", headers={"Authorization": f"Bearer {token}"}).json()

    say()
    messages = {each["id"]: each for each in asked("messages")["data"]}
    told = messages[mine.public_id]
    assert told["acknowledged_at"] == told["read_at"] == told["seen_at"] is not None
    assert messages[other]["acknowledged_at"] is None
    theirs.refresh_from_db()
    row.refresh_from_db()
    assert theirs.acknowledged_at is None and row.acknowledged_by == "lead"
    counts = asked("counts")
    assert (counts["unread"], counts["offset"]) == (1, 3)
    changes = tenant.http.get(
        f"/v1/inbox/events?since=2&epoch={counts['epoch']}&wait=0", headers={"Authorization": f"Bearer {token}"}
    ).json()["changes"]
    assert [(each["event"], each["message"]["id"]) for each in changes] == [("message.updated", mine.public_id)]
    say()
    assert asked("counts") == counts


async def test_a_device_that_is_connected_is_told_of_the_link_at_once(member: Member) -> None:
    [event] = await member.owner.append()
    notification_id = ids.new_uuid()
    async with await connect_database() as conn:
        await conn.execute(
            """INSERT INTO notifications_notification (id, project_id, status, recipients, channels, content, critical, data, metadata, available_at)
               VALUES (%s, %s, 'routed', '[]', '{}', '{}', false, '{}', '{}', NULL)""",
            [notification_id, member.owner.project_id],
        )
        await conn.execute(
            "UPDATE notifications_inboxmessage SET notification_id = %s WHERE id = %s",
            [notification_id, ids.decode("msg", event["message"]["id"])],
        )
    async with member.stream(since=1) as events:
        path = "/k/" + acknowledge_url(notification_id, member.owner.pk).rpartition("/k/")[2]
        answer = await member.http.post(path)
        assert answer.status_code == 200
        told = await following(events)
    assert (told.name, told.data["offset"], told.data["counts"]) == ("message.updated", 2, {"unread": 0, "unseen": 0})
    assert told.data["message"]["acknowledged_at"]
