"""Topics and who belongs to them. Memberships change in bulk, in one order of locks."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from notifications import ids
from notifications.errors import NotFound
from notifications.models import Recipient, Subscription, Topic

_LOCK_MEMBERS: Final = """
    SELECT id FROM notifications_recipient WHERE project_id = %s AND external_id = ANY(%s)
     ORDER BY id FOR KEY SHARE"""
_SUBSCRIBE: Final = """
    INSERT INTO notifications_subscription (id, topic_id, recipient_id)
    SELECT new, %s, recipient FROM unnest(%s::uuid[], %s::uuid[]) AS given (new, recipient)
    ON CONFLICT (topic_id, recipient_id) DO NOTHING"""


def put_topic(*, project_id: UUID, key: str, name: str) -> tuple[Topic, bool]:
    """The topic with this name, and whether it is new."""
    topic, created = Topic.objects.update_or_create(project_id=project_id, key=key, defaults={"name": name})
    topic.refresh_from_db(fields=["created_at"])
    return topic, created


@transaction.atomic
def rename_topic(*, project_id: UUID, key: str, name: str | None = None) -> Topic:
    """The topic with another name; None leaves it. Raises `NotFound`."""
    topic = Topic.objects.select_for_update(no_key=True).filter(project_id=project_id, key=key).first()
    if topic is None:
        raise NotFound
    if name is not None:
        topic.name = name
        topic.save(update_fields=["name"])
    return topic


def delete_topic(*, project_id: UUID, key: str) -> None:
    """Remove the topic and its memberships, no recipient. Raises `NotFound`."""
    if not Topic.objects.filter(project_id=project_id, key=key).delete()[0]:
        raise NotFound


@transaction.atomic
def subscribe(*, project_id: UUID, key: str, external_ids: Sequence[str]) -> int:
    """Make these recipients members, creating the topic and bare recipients as needed; how many are new members."""
    Topic.objects.bulk_create([Topic(project_id=project_id, key=key)], ignore_conflicts=True)
    topic = Topic.objects.select_for_update(no_key=True).get(project_id=project_id, key=key)
    wanted = sorted(set(external_ids))
    bare = [Recipient(project_id=project_id, external_id=external_id) for external_id in wanted]
    Recipient.objects.bulk_create(bare, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_MEMBERS, [project_id, wanted])
        members = [row[0] for row in cursor.fetchall()]
        cursor.execute(_SUBSCRIBE, [topic.id, [ids.new_uuid() for _ in members], members])
        return int(cursor.rowcount)


@transaction.atomic
def unsubscribe(*, project_id: UUID, key: str, external_ids: Sequence[str]) -> int:
    """End these memberships; how many there were. Raises `NotFound` for the topic."""
    topic = Topic.objects.select_for_update(no_key=True).filter(project_id=project_id, key=key).first()
    if topic is None:
        raise NotFound
    wanted = Recipient.objects.filter(project_id=project_id, external_id__in=set(external_ids))
    return Subscription.objects.filter(topic=topic, recipient__in=wanted).delete()[0]
