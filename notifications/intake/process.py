"""The intake of the running event loop: made on first use. A server process has one loop, so it has one intake."""

import asyncio
from weakref import WeakKeyDictionary

from notifications.bell import bell
from notifications.conf import conf
from notifications.events import ROUTE_TASK
from notifications.intake.queue import Intake

_intakes: WeakKeyDictionary[asyncio.AbstractEventLoop, Intake] = WeakKeyDictionary()


def intake() -> Intake:
    """This loop's intake, started. Its futures and connections belong to the loop, so another loop gets its own."""
    loop = asyncio.get_running_loop()
    found = _intakes.get(loop)
    if found is None:
        ringer = bell()
        found = _intakes[loop] = Intake(conf(), on_commit=lambda: ringer.ring(ROUTE_TASK))
        found.start()
    return found


async def stop_intake() -> None:
    """Answer what is waiting and forget this loop's intake; for the end of the process."""
    found = _intakes.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.stop()
