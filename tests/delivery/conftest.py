"""A project in an empty database, and what the engine's parts stand on."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from notifications.database import connect, make_pool
from notifications.intake.writer import Connection
from tests.delivery.laws import assert_lawful
from tests.delivery.world import World


@pytest.fixture
def project_id(transactional_db: None) -> UUID:
    """A project, committed for real: the engine's own connections must see it."""
    from django.core.management import call_command

    from notifications.models import Project  # models can be imported only after pytest has read this file

    # A test elsewhere may have had a server whose last words were committed after its own clean-up.
    call_command("flush", interactive=False, verbosity=0)
    return Project.objects.create(name="tests").id


@pytest.fixture
async def world(project_id: UUID) -> AsyncIterator[World]:
    """The project, and at the end of every test the laws."""
    async with await connect() as connection:
        yield World(connection, project_id)
        await assert_lawful(connection)


@pytest.fixture
async def other(project_id: UUID) -> AsyncIterator[Connection]:
    """A second connection, of somebody else."""
    connection = await connect()
    yield connection
    await connection.close()


@pytest.fixture
async def pool(project_id: UUID) -> AsyncIterator[AsyncConnectionPool[AsyncConnection[Any]]]:
    """A pool as an engine has it."""
    async with make_pool(max_size=4) as opened:
        yield opened
