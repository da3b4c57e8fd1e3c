"""A scenario from its start to its end: set up, done, driven, and told."""

import asyncio
import contextlib
from collections.abc import Iterator
from uuid import UUID

from channels.layers import channel_layers

from deploy.simulation.acting import Actors
from deploy.simulation.clock import Hand
from deploy.simulation.database import throwaway_database
from deploy.simulation.driving import Driver, driving
from deploy.simulation.people import read_people
from deploy.simulation.recording import NobodyOnline
from deploy.simulation.scenario import Scenario
from deploy.simulation.staging import stage
from deploy.simulation.story import Story
from deploy.simulation.telling import tell
from deploy.simulation.watching import Watch
from notifications.clock import running_by


def simulate(scenario: Scenario) -> Story:
    """Run it by the real engine on a database of its own; nothing is sent to anybody.

    Raises `Invalid` with pointers into the scenario for what the API would refuse, and psycopg errors where no
    database can be made.
    """
    with throwaway_database(scenario.start):
        return play(scenario)


def play(scenario: Scenario) -> Story:
    """The same on the empty database that is configured now, whose clock is a hand's and stands at the start."""
    hand = Hand(scenario.start)
    with running_by(hand), _nobody_online():
        project_id = stage(scenario.cast)
        return asyncio.run(_play(scenario, project_id, hand))  # noqa: TID251 - a loop of its own, which ends here


async def _play(scenario: Scenario, project_id: UUID, hand: Hand) -> Story:
    watch = Watch()
    async with driving(hand) as driver:
        actors = Actors(driver, project_id, watch)
        await _drive(scenario, driver, actors, watch)
        people = await read_people(driver.connection, project_id, scenario.start, scenario.until)
        entries, batches = await tell(driver, watch, actors.entries)
    return Story(
        name=scenario.name,
        start=scenario.start,
        until=scenario.until,
        timezone=scenario.timezone,
        zones={name: person.timezone for name, person in people.items()},
        quiet={name: person.quiet for name, person in people.items()},
        entries=entries,
        batches=batches,
    )


async def _drive(scenario: Scenario, driver: Driver, actors: Actors, watch: Watch) -> None:
    """From one moment at which something is due, or somebody does something, to the next."""
    waiting = [happening for happening in scenario.happenings if happening.at <= scenario.until]
    waiting.reverse()
    due = await driver.settle()
    while True:
        moments = [moment for moment in (due, waiting[-1].at if waiting else None) if moment is not None]
        if not moments or min(moments) > scenario.until:
            break
        await driver.set(min(moments))
        due = await driver.settle()
        while waiting and waiting[-1].at == driver.now:
            await actors.act(waiting.pop())
            due = await driver.settle()
        await watch.look(driver.connection)
    await driver.set(scenario.until)


@contextlib.contextmanager
def _nobody_online() -> Iterator[None]:
    before = channel_layers.set("default", NobodyOnline())
    try:
        yield
    finally:
        if before is None:
            channel_layers.backends.pop("default", None)
        else:
            channel_layers.set("default", before)
