"""Recipient tokens: taking back those that are out."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from notifications.clock import utc_now
from notifications.services.recipients import lock_recipient

_REVOKE: Final = """
    INSERT INTO notifications_inbox AS mine (recipient_id, epoch, "offset", unread, unseen, tokens_valid_from)
    VALUES (%s, gen_random_uuid(), 0, 0, 0, %s)
    ON CONFLICT (recipient_id) DO UPDATE
    SET tokens_valid_from = greatest(mine.tokens_valid_from, excluded.tokens_valid_from)
    RETURNING tokens_valid_from"""


@transaction.atomic
def revoke_tokens(*, project_id: UUID, external_id: str) -> tuple[UUID, datetime]:
    """Refuse every token of a recipient that was issued before now; the recipient and that moment. Raises `NotFound`.

    The moment is of the clock that tokens are issued by.
    """
    recipient = lock_recipient(project_id=project_id, external_id=external_id)
    with connection.cursor() as cursor:
        cursor.execute(_REVOKE, [recipient.pk, utc_now()])
        [valid_from] = cursor.fetchone()
    return recipient.pk, valid_from
