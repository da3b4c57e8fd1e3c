"""Scenarios on one throw-away database per module, emptied between them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core.management import call_command

# What needs Django's settings is imported later: this file is read before they are known.
if TYPE_CHECKING:
    from deploy.simulation.scenario import Scenario
    from deploy.simulation.story import Story

Run = Callable[["dict[str, Any] | Scenario"], "Story"]


@pytest.fixture(scope="module")
def hand_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database that is configured is one whose clock is a hand's."""
    from deploy.simulation.database import throwaway_database

    with django_db_blocker.unblock(), throwaway_database(datetime(2027, 1, 1, tzinfo=UTC)):
        yield


@pytest.fixture
def run(hand_database: None, django_db_blocker: Any) -> Run:
    """Runs one scenario after the other."""
    from deploy.simulation.clock import set_clock
    from deploy.simulation.running import play
    from deploy.simulation.scenario import parse_scenario
    from notifications.database import connection_options

    def play_one(given: "dict[str, Any] | Scenario") -> "Story":
        scenario = parse_scenario(given) if isinstance(given, dict) else given
        with django_db_blocker.unblock():
            call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
            with psycopg.connect(**connection_options(), autocommit=True) as connection:
                set_clock(connection, scenario.start)
            return play(scenario)

    return play_one
