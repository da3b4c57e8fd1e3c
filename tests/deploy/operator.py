"""An installation as an operator finds it: people, notifications and deliveries in every state, and who looks at them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery.models import Attempt, Delivery
from delivery.states import OPEN, State
from notifications import ids
from notifications.models import Endpoint, Notification, Project, Recipient


def superuser() -> Client:
    """A browser in which an operator with all rights is logged in."""
    return _client(User.objects.create_superuser(f"root-{uuid4().hex[:8]}"))


def staff(*permissions: str) -> Client:
    """A browser in which somebody with just these rights (`app.codename`) is logged in."""
    user = User.objects.create_user(f"staff-{uuid4().hex[:8]}", is_staff=True)
    for name in permissions:
        app, _, codename = name.partition(".")
        create_permissions(apps.get_app_config(app), verbosity=0)  # a test elsewhere may have emptied all tables
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return _client(user)


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class World:
    """One project with what a test puts into it."""

    def __init__(self) -> None:
        self.project = Project.objects.create(name=f"Project {uuid4().hex[:8]}")

    def recipient(self, external_id: str = "u1", **fields: Any) -> Recipient:
        return Recipient.objects.create(project=self.project, external_id=external_id, **fields)

    def endpoint(self, recipient: Recipient, **fields: Any) -> Endpoint:
        return Endpoint.objects.create(
            project=self.project, recipient=recipient, channel="webhook", url="https://hooks.example.com/a", **fields
        )

    def notification(self, **fields: Any) -> Notification:
        values = {
            "status": Notification.Status.ROUTED,
            "available_at": None,
            "recipients": ["u1"],
            "content": {"title": "Your order has shipped", "body": "Parcel **4812**"},
            "channels": ["email"],
        }
        return Notification.objects.create(project=self.project, **{**values, **fields})

    def delivery(
        self,
        state: State,
        *,
        recipient: Recipient,
        notification: Notification | None = None,
        due: timedelta = timedelta(minutes=5),
        attempts: tuple[str, ...] = (),
        **fields: Any,
    ) -> Delivery:
        """A delivery in `state`; an open one is due in `due`. `attempts` are the outcomes of its tries."""
        now = timezone.now()
        is_open = state in OPEN
        delivery = Delivery.objects.create(
            project=self.project,
            notification=notification or self.notification(),
            recipient=recipient,
            state=state,
            reason="" if is_open else "because",
            available_at=now + due if is_open else None,
            finished_at=None if is_open else now,
            attempt_count=len(attempts),
            **{"channel": "email", **fields},
        )
        for number, outcome in enumerate(attempts, start=1):
            Attempt.objects.create(
                id=ids.new_uuid(),
                delivery=delivery,
                number=number,
                duration_ms=84,
                outcome=outcome,
                response={"status": 503, "text": f"answer {number}"},
            )
        return delivery
