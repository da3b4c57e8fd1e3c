"""Mail that has been sent."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from delivery.conf import DeliveryConf
from delivery.route import route
from tests.delivery.test_claims import take
from tests.delivery.world import World, unheard

Send = Callable[..., Awaitable[UUID]]


@pytest.fixture
def send(world: World) -> Send:
    """Sends a mail to this person, as far as the database can tell: `await send("ada@example.com")` gives the delivery."""

    async def sent(email: str = "ada@example.com", *, name: str = "ada", state: str = "sent") -> UUID:
        notification = await world.accept([{"id": name, "email": email}], ["email"])
        assert await route(world.connection, DeliveryConf(), unheard) == 1
        _, (item,) = await take(world.connection)
        await world.connection.execute(
            "UPDATE delivery_delivery SET state = %s, reason = 'accepted', available_at = NULL, lease_token = NULL,"
            " finished_at = now() WHERE id = %s",
            (state, item.delivery_id),
        )
        assert (await world.delivery(notification))["state"] == state
        return item.delivery_id

    return sent
