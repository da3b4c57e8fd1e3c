"""A library read from the real PostgreSQL: whole, current, one query once it is known, and a project's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications.database import connect
from notifications.executor import in_thread
from notifications.models import Project
from notifications.services import templates as services
from notifications.templating.library import Library
from notifications.templating.loading import load_library
from notifications.templating.reading import read_library
from notifications.templating.rendering import render_content

Connection = AsyncConnection[TupleRow]


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(name="templates")


@pytest.fixture
async def connection(project: Project) -> AsyncIterator[Connection]:
    async with await connect() as opened:
        yield opened


def put(project: Project, key: str, variants: dict[str, Any], kind: str = "template") -> None:
    services.put_template(project_id=project.id, key=key, kind=kind, name="", variants=variants)


def mail(body: str) -> dict[str, Any]:
    return {"email": {"default": {"body": body, "layout": "frame"}}}


def fill(project: Project) -> None:
    put(project, "inner", {"default": {"text": "inner"}}, "partial")
    put(project, "outer", {"default": {"text": "outer {% render 'inner' %}"}}, "partial")
    put(project, "frame", {"default": {"html": "<b>{{ content }}</b>{% render 'outer' %}"}}, "layout")
    put(project, "t", mail("{% render 'outer' %}"))
    put(project, "unrelated", {"default": {"default": {"title": "x"}}})


class Counting:
    """The connection, and how many queries went through it."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.queries = connection, 0

    async def execute(self, *arguments: Any) -> Any:
        self.queries += 1
        return await self.connection.execute(*arguments)


def said(library: Library) -> str | None:
    return render_content("t", channel="email", context={}, locale=None, timezone=None, library=library).html


async def test_a_library_is_whole_current_and_cheap(project: Project, connection: Connection) -> None:
    await in_thread(fill, project)
    counting = Counting(connection)
    library = await load_library(counting, project.id, ["t"])  # type: ignore[arg-type]  # it counts
    assert (set(library.templates), set(library.layouts), set(library.partials)) == (
        {"t"},
        {"frame"},
        {"outer", "inner"},
    )
    assert said(library) == "<b><p>outer inner</p>\n</b>outer inner"
    assert library == await in_thread(read_library, project.id, ["t"])
    counting.queries = 0
    assert await load_library(counting, project.id, ["t"]) == library  # type: ignore[arg-type]
    assert counting.queries == 1
    await in_thread(put, project, "inner", {"default": {"text": "new"}}, "partial")
    assert said(await load_library(connection, project.id, ["t"])) == "<b><p>outer new</p>\n</b>outer new"
    await in_thread(put, project, "more", {"default": {"text": "more"}}, "partial")
    await in_thread(put, project, "inner", {"default": {"text": "{% render 'more' %}"}}, "partial")
    assert said(await load_library(connection, project.id, ["t"])) == "<b><p>outer more</p>\n</b>outer more"


async def test_what_is_missing_or_another_projects_is_left_out(project: Project, connection: Connection) -> None:
    await in_thread(fill, project)
    other = await in_thread(lambda: Project.objects.create(name="other"))
    assert await load_library(connection, other.id, ["t", "frame"]) == Library()
    assert await load_library(connection, project.id, []) == Library()
    assert (await load_library(connection, project.id, ["t", "nothing"])).templates.keys() == {"t"}
    await in_thread(lambda: services.delete_template(project_id=project.id, key="t"))
    assert (await load_library(connection, project.id, ["t", "nothing"])).templates == {}
