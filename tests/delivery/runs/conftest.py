"""A flow: a project whose engine goes by the test's clock."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from deploy.simulation.clock import INSTALL, OPTIONS, REMOVE
from tests.delivery.laws import assert_lawful
from tests.delivery.world import World

# What needs Django's settings is imported later: this file is read before they are known.
if TYPE_CHECKING:
    from tests.delivery.runs.flow import Flow


@pytest.fixture
async def flow(project_id: UUID) -> "AsyncIterator[Flow]":
    """At the end of every test the laws hold."""
    from notifications.database import connection_options
    from tests.delivery.runs.flow import START, Flow

    options = connection_options()
    with psycopg.connect(**options, autocommit=True) as client:
        client.execute(INSTALL)
    connection = await AsyncConnection.connect(**{**options, "options": OPTIONS}, autocommit=True)
    try:
        flow = Flow(World(connection, project_id))
        await flow.set(START)
        yield flow
        await assert_lawful(connection)
    finally:
        await connection.close()
        with psycopg.connect(**options, autocommit=True) as client:
            client.execute(REMOVE)
