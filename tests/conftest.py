"""Plug-ins of the test suite: real servers first, then what stands on them."""

from collections.abc import Iterator

import pytest
from django.db import connection
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker

pytest_plugins = (
    "tests.fixtures.servers",
    "tests.fixtures.postfix",
    "tests.fixtures.receivers",
    "tests.fixtures.platform",
    "tests.fixtures.recipients",
    "tests.fixtures.order",
)

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("carillon", deadline=None)
settings.load_profile("carillon")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's, which cannot remove a database in which a thread of some test still has a session."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
