"""Reads of what a project is made of. Querysets are given to `api.paging`, which cuts the page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from notifications.errors import NotFound
from notifications.models import (
    ApiKey,
    Endpoint,
    Notification,
    Recipient,
    RecipientPreferences,
    Subscription,
    Suppression,
    Topic,
    Workflow,
)
from notifications.preference_links import PreferenceLink
from notifications.signed_links import digest_address


def api_keys_of(project_id: UUID) -> QuerySet[ApiKey]:
    """All keys of a project, ended ones too."""
    return ApiKey.objects.filter(project_id=project_id)


def get_api_key(*, project_id: UUID, key_id: UUID) -> ApiKey:
    """One key. Raises `NotFound`."""
    key = api_keys_of(project_id).filter(id=key_id).first()
    if key is None:
        raise NotFound
    return key


def recipients_of(project_id: UUID) -> QuerySet[Recipient]:
    """All recipients of a project."""
    return Recipient.objects.filter(project_id=project_id)


def get_recipient(*, project_id: UUID, external_id: str) -> Recipient:
    """One recipient by the caller's id. Raises `NotFound`."""
    recipient = recipients_of(project_id).filter(external_id=external_id).first()
    if recipient is None:
        raise NotFound
    return recipient


def get_preferences(*, project_id: UUID, external_id: str) -> dict[str, Any]:
    """What a recipient has said about what they want. Raises `NotFound` for the recipient."""
    recipient = get_recipient(project_id=project_id, external_id=external_id)
    rows = RecipientPreferences.objects.filter(recipient=recipient)
    found: dict[str, Any] | None = rows.values_list("settings", flat=True).first()
    return found or {}


def get_last_seen(*, project_id: UUID, external_id: str) -> tuple[UUID, datetime | None]:
    """A recipient's row id and when it was last connected, as far as PostgreSQL knows. Raises `NotFound`."""
    found = recipients_of(project_id).filter(external_id=external_id).values_list("id", "inbox__last_seen_at").first()
    if found is None:
        raise NotFound
    return found


def endpoints_of(*, project_id: UUID, external_id: str) -> QuerySet[Endpoint]:
    """A recipient's endpoints. Raises `NotFound` for the recipient."""
    recipient = get_recipient(project_id=project_id, external_id=external_id)
    return Endpoint.objects.filter(recipient=recipient).select_related("recipient")


def get_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID) -> Endpoint:
    """One endpoint of a recipient. Raises `NotFound`."""
    endpoint = endpoints_of(project_id=project_id, external_id=external_id).filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def topics_of(project_id: UUID) -> QuerySet[Topic]:
    """All topics of a project."""
    return Topic.objects.filter(project_id=project_id)


def get_topic(*, project_id: UUID, key: str) -> Topic:
    """One topic. Raises `NotFound`."""
    topic = topics_of(project_id).filter(key=key).first()
    if topic is None:
        raise NotFound
    return topic


def subscriptions_of(*, project_id: UUID, key: str) -> QuerySet[Subscription]:
    """Who belongs to a topic; paged by recipient, along the index that routing walks. Raises `NotFound`."""
    topic = get_topic(project_id=project_id, key=key)
    return Subscription.objects.filter(topic=topic).select_related("recipient")


def notifications_of(project_id: UUID) -> QuerySet[Notification]:
    """All notifications of a project."""
    return Notification.objects.filter(project_id=project_id)


def get_notification(*, project_id: UUID, notification_id: UUID) -> Notification:
    """One notification. Raises `NotFound`."""
    notification = notifications_of(project_id).filter(id=notification_id).first()
    if notification is None:
        raise NotFound
    return notification


def suppressions_of(project_id: UUID) -> QuerySet[Suppression]:
    """All suppressions of a project, those that have expired included."""
    return Suppression.objects.filter(project_id=project_id)


def get_suppression(*, project_id: UUID, suppression_id: UUID) -> Suppression:
    """One suppression. Raises `NotFound`."""
    suppression = suppressions_of(project_id).filter(id=suppression_id).first()
    if suppression is None:
        raise NotFound
    return suppression


def get_by_link(link: PreferenceLink) -> Recipient | None:
    """The recipient whose page the link opens, with preferences and the project's settings where there are any; None when it
    opens nothing (any more)."""
    rows = Recipient.objects.select_related("preferences", "project__settings")
    recipient = rows.filter(id=link.recipient_pk, project_id=link.project_id).first()
    if recipient is None or not recipient.email or digest_address(recipient.email) != link.address_digest:
        return None
    return recipient


def workflow_names(project_id: UUID) -> dict[str, list[str]]:
    """The names of the workflows in use, by their category; critical ones, which nobody can switch off, are left out."""
    rows = Workflow.objects.filter(project_id=project_id, archived_at=None, published_version__isnull=False)
    found: dict[str, list[str]] = {}
    for definition in rows.order_by("key").values_list("published_version__definition", flat=True):
        if (category := definition.get("category")) and not definition.get("critical"):
            found.setdefault(category, []).append(definition.get("name") or "")
    return found
