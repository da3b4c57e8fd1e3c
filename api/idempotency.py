"""`Idempotency-Key` on POST: the same request twice is one request.

A client that got no answer cannot know whether its request was served. With a key it may simply ask again:

- same key, same request: the first answer again, with `Idempotent-Replayed: true`; nothing is done twice;
- same key, another request (method, path, query and body are fingerprinted): 422, nothing is done;
- same key, the first one still running: we wait for it up to a second, then say 409 with `Retry-After`.

What makes this hold is that the key is a row with a unique index, inserted **in the transaction that does the work**. There is no
moment at which the work is committed and the key is not: whatever is killed, a repetition finds both or neither.
A second request blocks on the first one's uncommitted row; PostgreSQL wakes it when that transaction ends. If
it rolled back, the second takes over; if it committed, the second reads the answer. An attempt that ended in an error
stored nothing, so a repetition is tried afresh. A key is remembered for 24 hours; an older row is taken over, not
obeyed, even when it has not been swept away yet.

Answers may hold secrets (an endpoint's signing secret is shown once), so they are stored sealed. Notifications are
accepted through the group commit, which applies the same rules to a whole batch: `notifications/intake/keys.py`.
"""

import hashlib
from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from psycopg.errors import LockNotAvailable

from notifications.conf import conf
from notifications.errors import Fault, InFlight, Invalid, KeyReused
from notifications.executor import in_thread
from notifications.intake.requests import Answer, Idempotency
from notifications.models import IdempotencyKey
from notifications.sealing import seal, unseal

_WAIT: Final = "SET LOCAL lock_timeout = '1s'"
_WAIT_NO_MORE: Final = "SET LOCAL lock_timeout TO DEFAULT"
_CLAIM: Final = """
    INSERT INTO notifications_idempotencykey AS mine (project_id, key, fingerprint, status, response, headers)
    VALUES (%s, %s, %s, 0, '', '{}')
    ON CONFLICT (project_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, created_at = now()
     WHERE mine.created_at < now() - make_interval(hours => %s)
    RETURNING id"""


def read_idempotency(request: HttpRequest) -> Idempotency | None:
    """The request's `Idempotency-Key` with the fingerprint of what it asks. Raises `Invalid`."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid([Fault("", "Idempotency-Key must be 1 to 255 printable characters.")])
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return Idempotency(key, hashlib.sha256(asked).hexdigest())


async def answer_once(request: HttpRequest, project_id: UUID, work: Callable[[], Answer]) -> HttpResponse:
    """Run synchronous `work` on a thread, at most once for the request's key, and respond with its answer."""
    idempotency = read_idempotency(request)
    if idempotency is None:
        return respond(await in_thread(work))
    return respond(await in_thread(_once, project_id, idempotency, work))


def respond(answer: Answer) -> HttpResponse:
    """An answer as a response."""
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=answer.headers)
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _once(project_id: UUID, idempotency: Idempotency, work: Callable[[], Answer]) -> Answer:
    with transaction.atomic():
        row_id = _claim(project_id, idempotency)
        if row_id is None:
            return _told_before(project_id, idempotency)
        answer = work()
        IdempotencyKey.objects.filter(id=row_id).update(
            status=answer.status, response=seal(answer.body.decode()), headers=answer.headers
        )
    return answer


def _claim(project_id: UUID, idempotency: Idempotency) -> int | None:
    """The id of the key's fresh row, or None when the key has an answer already. Raises `InFlight`."""
    with connection.cursor() as cursor:
        cursor.execute(_WAIT)
        try:
            cursor.execute(
                _CLAIM, [project_id, idempotency.key, idempotency.fingerprint, conf().idempotency_keep_hours]
            )
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise InFlight("A request with this Idempotency-Key is still being served.") from error
            raise
        row = cursor.fetchone()
        cursor.execute(_WAIT_NO_MORE)
    return None if row is None else int(row[0])


def _told_before(project_id: UUID, idempotency: Idempotency) -> Answer:
    row = IdempotencyKey.objects.get(project_id=project_id, key=idempotency.key)
    if row.fingerprint != idempotency.fingerprint:
        raise KeyReused
    return Answer(row.status, unseal(row.response).encode(), row.headers, replayed=True)


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """`value` as JSON, as an answer that can be stored."""
    return Answer(status, msgspec.json.encode(value), headers or {})
