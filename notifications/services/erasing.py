"""Taking an erased person's traces out of what belongs to others as well: notifications, other people's inboxes, workflows.

Locks are taken in the order in which routing takes them, notifications first. A notification that waits to be routed loses
its lease with the name: whoever is just routing it is fenced off, and it is routed anew without the person.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

# `jsonb - text` takes the name out of the list; a notification that was for nobody else says nothing any more.
_FORGET: Final = """
    UPDATE notifications_notification n SET recipients = n.recipients - %(name)s::text, {pending}
           content = CASE WHEN o.alone THEN '{{"title": "", "body": "", "action_url": null}}' ELSE n.content END,
           data = CASE WHEN o.alone THEN '{{}}' ELSE n.data END,
           metadata = CASE WHEN o.alone THEN '{{}}' ELSE n.metadata END, thread = CASE WHEN NOT o.alone THEN n.thread END,
           cancellation_key = CASE WHEN NOT o.alone THEN n.cancellation_key END
      FROM (SELECT id, recipients - %(name)s::text = '[]' AS alone FROM notifications_notification
             WHERE project_id = %(project)s AND recipients ? %(name)s AND {which} ORDER BY id FOR UPDATE) AS o
     WHERE n.id = o.id"""
_PENDING: Final = _FORGET.format(
    pending="lease_token = NULL, available_at = CASE WHEN n.lease_token IS NULL THEN n.available_at ELSE now() END,",
    which="available_at IS NOT NULL",
)
_UNROUTED: Final = _FORGET.format(pending="", which="status IN ('cancelled', 'expired', 'failed')")
_NAMED: Final = _FORGET.format(pending="", which="available_at IS NULL AND id = ANY(%(ids)s)")
# A version never changes but for this; whoever escalates reads `to` when it calls.
_CALLED: Final = """
    UPDATE notifications_workflowversion v
       SET definition = jsonb_set(v.definition, '{steps}', (
               SELECT jsonb_agg(CASE WHEN step -> 'to' ? %(name)s THEN jsonb_set(step, '{to}', (step -> 'to') - %(name)s::text) ELSE step END
                                ORDER BY n) FROM jsonb_array_elements(v.definition -> 'steps') WITH ORDINALITY AS s (step, n)))
      FROM (SELECT id FROM notifications_workflowversion
             WHERE workflow_id IN (SELECT id FROM notifications_workflow WHERE project_id = %(project)s)
               AND jsonb_path_exists(definition, '$.steps[*].to[*] ? (@ == $name)', jsonb_build_object('name', %(name)s::text))
             ORDER BY id FOR UPDATE) AS o
     WHERE v.id = o.id"""
_DID: Final = """
    UPDATE {table} SET {column} = NULL
     WHERE id IN (SELECT id FROM {table} WHERE project_id = %(project)s AND {column} = %(name)s ORDER BY id FOR UPDATE)"""
_COLUMNS: Final = (
    ("notifications_notification", "actor"),
    ("notifications_notification", "acknowledged_by"),
    ("notifications_inboxmessage", "actor"),
)


def forget_name(*, project_id: UUID, external_id: str) -> None:
    """Take the person out of what has no deliveries (yet), and as who did something out of everything; in the caller's transaction.

    Before anything else of the person is locked.
    """
    values: dict[str, Any] = {"project": project_id, "name": external_id}
    with connection.cursor() as cursor:
        for query in (_PENDING, _UNROUTED):
            cursor.execute(query, values)
        for table, column in _COLUMNS:
            cursor.execute(_DID.format(table=table, column=column), values)


def forget_named(*, project_id: UUID, external_id: str, notification_ids: Sequence[UUID]) -> None:
    """Take the person out of these notifications, which are routed; in the caller's transaction."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"project": project_id, "name": external_id, "ids": list(notification_ids)}
        cursor.execute(_NAMED, values)


def forget_called(*, project_id: UUID, external_id: str) -> None:
    """Take the person out of whom workflows call, in every version; in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_CALLED, {"project": project_id, "name": external_id})
