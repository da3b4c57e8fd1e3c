"""What the writer finds out about the workflows that submissions name."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from notifications.clock import utc_now
from notifications.conf import conf
from notifications.database import connect
from notifications.executor import in_thread
from notifications.ids import new_uuid
from notifications.intake.submission import Submission, parse_submission
from notifications.intake.workflows import Connection, find_published, follow
from notifications.models import Project, WorkflowVersion
from notifications.services.workflows import put_workflow


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(name=f"test {new_uuid()}")


@pytest.fixture
async def connection(project: Project) -> AsyncIterator[Connection]:
    async with await connect() as opened:
        yield opened


def submission(project: Project, workflow: str = "greet", **changes: Any) -> Submission:
    body = {"recipients": ["u1"], "workflow": workflow, **changes}
    return parse_submission(body, project_id=project.pk, conf=conf(), now=utc_now())


async def publish(project: Project, title: str, **changes: Any) -> UUID:
    """The id of the version that holds now."""
    steps = [{"key": "bell", "type": "in_app", "template": {"title": title}}]
    definition = {"name": "Greeting", "steps": steps, **changes}
    await in_thread(put_workflow, project_id=project.pk, key="greet", definition=definition)
    held = WorkflowVersion.objects.filter(workflow__project=project, state="published")
    return await in_thread(held.values_list("id", flat=True).get)


async def test_a_new_version_is_followed_at_once_whatever_is_remembered(
    project: Project, connection: Connection
) -> None:
    for title in ("One", "Two", "One"):
        expected = await publish(project, title)
        for _ in range(2):
            found = await find_published(connection, [submission(project), submission(project)])
            assert found[project.pk, "greet"].id == expected


async def test_what_is_remembered_is_not_read_again(project: Project, connection: Connection) -> None:
    """Proven by a definition that could not be read: nobody asks for it a second time."""
    version_id = await publish(project, "One")
    first = await find_published(connection, [submission(project)])
    broken = WorkflowVersion.objects.filter(id=version_id)
    await in_thread(broken.update, definition={})
    assert await find_published(connection, [submission(project)]) == first


async def test_what_an_older_release_stored_and_nobody_can_read_harms_only_who_names_it(
    project: Project, connection: Connection
) -> None:
    version_id = await publish(project, "One")
    await in_thread(WorkflowVersion.objects.filter(id=version_id).update, definition={"steps": "gone"})
    found = await find_published(connection, [submission(project)])
    assert found == {}
    assert [fault.pointer for fault in follow(submission(project), found.get((project.pk, "greet")))] == ["/workflow"]


async def test_without_workflows_nothing_is_asked(project: Project, connection: Connection) -> None:
    await connection.close()
    plain = {"recipients": ["u1"], "content": {"title": "x"}, "channels": ["in_app"]}
    submitted = parse_submission(plain, project_id=project.pk, conf=conf(), now=utc_now())
    assert await find_published(connection, [submitted]) == {}


async def test_category_and_critical_come_from_either(project: Project, connection: Connection) -> None:
    await publish(project, "One", category="theirs", critical=True)
    own, none = submission(project, category="own"), submission(project)
    found = await find_published(connection, [own, none])
    for each in (own, none):
        assert (each.category, each.critical) == (each.body.category, False)
        assert follow(each, found[project.pk, "greet"]) == []
    assert (own.category, own.critical) == ("own", True)
    assert (none.category, none.critical) == ("theirs", True)
