"""What becomes of a socket whose inbox PostgreSQL does not have: it depends on what was asked."""

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from consumers.conf import ConsumersConf
from consumers.connection import Connection
from consumers.hub import Hub


async def swallow(message: MutableMapping[str, Any]) -> None:
    """The way to a client who is not looked at."""


@pytest.fixture
async def hub() -> Hub:
    return Hub(ConsumersConf())


def entered(hub: Hub, recipient_pk: UUID) -> Connection:
    connection = hub.register(swallow)
    connection.recipient_pk, connection.issued_at = recipient_pk, datetime.now(UTC)
    return connection


async def test_who_is_let_in_meanwhile_stays(hub: Hub) -> None:
    """Asked before the connect command was answered, which makes the inbox of somebody new."""
    connection = entered(hub, uuid4())
    asked = connection.position
    assert asked is not None
    connection.begin(epoch=str(uuid4()), offset=0, head=0, valid_seconds=60)
    hub._compare(connection, asked, {asked.recipient_pk: None}, patient=False)
    assert connection.is_live
    connection.dispose()


async def test_who_was_in_and_has_no_inbox_any_more_is_erased(hub: Hub) -> None:
    connection = entered(hub, uuid4())
    connection.begin(epoch=str(uuid4()), offset=0, head=0, valid_seconds=60)
    asked = connection.position
    assert asked is not None
    hub._compare(connection, asked, {asked.recipient_pk: None}, patient=False)
    assert connection.is_closing
    connection.dispose()
