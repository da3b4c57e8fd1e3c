"""What a scenario's people do: ask for notifications, cancel and acknowledge them, look into their inboxes."""

from typing import Final
from uuid import UUID

from delivery.services import cancel_notification
from deploy.simulation.driving import Driver
from deploy.simulation.scenario import Happening
from deploy.simulation.story import Entry, Kind
from deploy.simulation.watching import Watch
from notifications.conf import conf
from notifications.errors import CarillonError, Conflict, Fault, Invalid, NotFound
from notifications.executor import in_thread
from notifications.inbox.changes import Action, apply_action
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import parse_submission
from notifications.intake.writer import write
from notifications.services.acknowledgements import acknowledge

_RECIPIENT: Final = "SELECT id FROM notifications_recipient WHERE project_id = %s AND external_id = %s"
_MESSAGES: Final = """
    SELECT m.id FROM notifications_inboxmessage m JOIN delivery_delivery d ON d.id = m.delivery_id
     WHERE m.recipient_id = %s AND d.notification_id = %s ORDER BY m.id"""


class Actors:
    """Everybody who does something, in one project."""

    def __init__(self, driver: Driver, project_id: UUID, watch: Watch) -> None:
        self._driver = driver
        self._project_id = project_id
        self._watch = watch
        self._asked: dict[str, UUID] = {}
        self._count = 0
        self.entries: list[Entry] = []

    async def act(self, happening: Happening) -> None:
        """Do it now. Raises `Invalid` where the API would refuse it."""
        match happening.action:
            case "notify":
                await self._notify(happening)
            case "cancel":
                await self._cancel(happening)
            case "acknowledge":
                await self._acknowledge(happening)
            case "seen" | "read":
                await self._look(happening)

    async def _notify(self, happening: Happening) -> None:
        pointer = f"{happening.pointer}/notify"
        self._count += 1
        name = happening.name or f"n{self._count}"
        try:
            submission = parse_submission(
                happening.body, project_id=self._project_id, conf=conf(), now=self._driver.now
            )
            request = Request(self._project_id, [submission], _accepted)
            (outcome,) = await write(self._driver.connection, [request], keep_hours=24)
            if isinstance(outcome, CarillonError):
                raise outcome
        except Invalid as error:
            raise Invalid([Fault(f"{pointer}{fault.pointer}", fault.detail) for fault in error.faults]) from error
        self._asked[name] = submission.id
        self._watch.labels[submission.id] = name

    async def _cancel(self, happening: Happening) -> None:
        name = happening.name or ""
        try:
            count = await in_thread(cancel_notification, notification_id=self._asked[name], project_id=self._project_id)
            said = f"cancelled, which stops {count}"
        except Conflict as error:
            said = f"cannot be cancelled: {error.detail}"
        self._tell(happening, said)

    async def _acknowledge(self, happening: Happening) -> None:
        name = happening.name or ""
        await in_thread(
            acknowledge,
            notification_id=self._asked[name],
            project_id=self._project_id,
            external_id=happening.recipient,
        )
        self._tell(happening, "acknowledged")

    async def _look(self, happening: Happening) -> None:
        """Of one notification, or of everything that is there."""
        connection = self._driver.connection
        row = await (await connection.execute(_RECIPIENT, (self._project_id, happening.recipient))).fetchone()
        messages: list[UUID] | None = None
        if row is not None and happening.name is not None:
            cursor = await connection.execute(_MESSAGES, (row[0], self._asked[happening.name]))
            messages = [message[0] for message in await cursor.fetchall()]
        action: Action = "seen" if happening.action == "seen" else "read"
        everything: Action = "seen_all" if action == "seen" else "read_all"
        count = 0
        if row is not None and messages != []:
            try:
                applied = await apply_action(
                    connection,
                    recipient_pk=row[0],
                    action=everything if messages is None else action,
                    message_ids=messages,
                )
                count = len(applied.events)
            except NotFound:  # nothing has ever come
                count = 0
        self._tell(happening, f"{action}: {count} message{'' if count == 1 else 's'}")

    def _tell(self, happening: Happening, says: str) -> None:
        self.entries.append(
            Entry(
                at=self._driver.now,
                kind=Kind.DONE,
                says=says,
                notifications=(happening.name,) if happening.name else (),
                recipient=happening.recipient,
                code=happening.action,
            )
        )


def _accepted(faults: dict[int, Invalid]) -> Answer:
    if faults:
        raise faults[0]
    return Answer(202, b"{}")
