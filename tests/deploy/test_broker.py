"""The broker's transport: what a worker meets when Redis goes away under it."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from deploy.broker import Channel
from deploy.celery_app import app


def test_an_acknowledgement_on_a_closed_connection_is_a_connection_error() -> None:
    """Celery swallows those it knows; anything else ends the worker."""
    connection = app.connection()
    connection.connect()
    channel = connection.channel()
    assert isinstance(channel, Channel)
    assert channel.client.ping()
    connection.collect()  # what a worker does with a connection that was lost
    with pytest.raises(RedisConnectionError, match="closed"):
        channel._create_client()
    assert RedisConnectionError in connection.connection_errors
