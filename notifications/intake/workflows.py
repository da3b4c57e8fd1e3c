"""Which version of a workflow a submission follows, and what that version asks of it."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications.errors import Fault, Invalid
from notifications.intake.submission import Submission
from notifications.workflows.versions import Version, known_version, learn_version

Connection = AsyncConnection[TupleRow]
Name = tuple[UUID, str]
log = structlog.get_logger(__name__)

_MOST: Final = 10_000
# What the process knows already is not read again, for a definition may be large.
_PUBLISHED: Final = """
    SELECT w.project_id, w.id, w.key, v.id, v.number, CASE WHEN v.id <> ALL(%s) THEN v.definition::text END
      FROM (SELECT DISTINCT * FROM unnest(%s::uuid[], %s::text[])) AS asked (project_id, key)
      JOIN notifications_workflow w USING (project_id, key)
      JOIN notifications_workflowversion v ON v.id = w.published_version_id
     WHERE w.archived_at IS NULL"""

_latest: OrderedDict[Name, UUID] = OrderedDict()


async def find_published(connection: Connection, submissions: Iterable[Submission]) -> dict[Name, Version]:
    """The published versions of the workflows that are named: one query, or none when none is named."""
    names = {(s.project_id, s.body.workflow) for s in submissions if s.body.workflow is not None}
    if not names:
        return {}
    known = [latest for name in names if (latest := _latest.get(name)) and known_version(latest)]
    cursor = await connection.execute(_PUBLISHED, (known, [project for project, _ in names], [key for _, key in names]))
    found: dict[Name, Version] = {}
    for project_id, workflow_id, key, version_id, number, definition in await cursor.fetchall():
        try:
            version = known_version(version_id) if definition is None else None
            found[project_id, key] = version or learn_version(version_id, workflow_id, key, number, definition)
        except Invalid:
            log.exception("workflow_unreadable", workflow_version=str(version_id))
            continue
        _latest[project_id, key] = version_id
        _latest.move_to_end((project_id, key))
    while len(_latest) > _MOST:
        _latest.popitem(last=False)
    return found


def follow(submission: Submission, version: Version | None) -> list[Fault]:
    """Let the submission follow this version of the workflow it names; what is wrong with it then."""
    submission.version = version
    if version is None:
        return [Fault("/workflow", "No workflow with this key is published.")]
    faults = [] if version.data_schema is None else version.data_schema.check(submission.body.data)
    asked = submission.body.channels
    if asked and version.definition.channels.isdisjoint(asked):
        used = ", ".join(sorted(version.definition.channels)) or "none"
        faults.append(Fault("/channels", f"The workflow uses none of these; it uses {used}."))
    return faults
