"""Erasing a person: the row with all that hangs on it, and the name in what belongs to others.

Locks are taken in the order in which firing, routing and walking take them: schedules, notifications, deliveries, workflows (for
which no walk waits), walks, and the person last.
"""

from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from notifications.errors import NotFound
from notifications.models import Recipient
from notifications.services.erasing import forget_called, forget_name, forget_named
from notifications.services.recipients import lock_recipient
from notifications.services.suppressions import forget_addresses
from schedules.erasing import forget_scheduled

# Other people's walks that called the person.
_FORGET_CALLS: Final = """
    UPDATE delivery_run u
       SET log = coalesce((SELECT jsonb_agg(CASE WHEN e #>> '{detail,to}' = %(name)s THEN jsonb_set(e, '{detail,to}', 'null') ELSE e END
                                            ORDER BY n) FROM jsonb_array_elements(u.log) WITH ORDINALITY AS l (e, n)), '[]')
      FROM (SELECT id FROM delivery_run
             WHERE project_id = %(project)s
               AND (available_at IS NOT NULL
                    OR notification_id IN (SELECT notification_id FROM delivery_delivery WHERE recipient_id = %(recipient)s))
               AND jsonb_path_exists(log, '$[*].detail ? (@.to == $name)', jsonb_build_object('name', %(name)s::text))
             ORDER BY id FOR UPDATE) AS o
     WHERE u.id = o.id"""


@transaction.atomic
def erase_recipient(*, project_id: UUID, external_id: str) -> UUID:
    """Remove a person with addresses, memberships, messages and deliveries, and the name from what others got, what schedules
    would submit and whom workflows call; what suppresses the address keeps its hash alone. Gives the row's id, for whoever has
    to be told. Raises `NotFound`."""
    found = Recipient.objects.filter(project_id=project_id, external_id=external_id).first()
    if found is None:
        raise NotFound
    forget_scheduled(project_id=project_id, external_id=external_id)
    forget_name(project_id=project_id, external_id=external_id)
    locked = found.deliveries.select_for_update().order_by("id").values_list("notification_id", flat=True)
    forget_named(project_id=project_id, external_id=external_id, notification_ids=sorted(set(locked)))
    forget_called(project_id=project_id, external_id=external_id)
    _forget_calls(found)  # now that nobody calls the person any more
    # A full lock: whoever is just writing a row that points here ends first, and is then erased as well.
    recipient = lock_recipient(project_id=project_id, external_id=external_id, no_key=False)
    recipient_pk, email, deliveries = recipient.pk, recipient.email, recipient.deliveries.values("id")
    forget_addresses(project_id=project_id, delivery_ids=deliveries)
    recipient.delete()
    # Once more now that no delivery is left by which the address could come back.
    forget_addresses(project_id=project_id, emails=[email] if email else [])
    return recipient_pk


def _forget_calls(who: Recipient) -> None:
    values: dict[str, Any] = {"project": who.project_id, "recipient": who.pk, "name": who.external_id}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_CALLS, values)
