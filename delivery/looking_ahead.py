"""What routing would decide now, read through the ORM for a dry run: the same rules, preferences and caps, but nothing is taken."""

from collections.abc import Iterable
from uuid import UUID

from delivery.frequency import Candidate, as_of, group_of
from delivery.routing import Target, Way, plan_ways
from delivery.rules import Rules
from notifications import clock
from notifications.event_types import event_type_of
from notifications.models import ProjectSettings, RecipientPreferences
from notifications.preferences.caps import parse_caps
from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import EMPTY, Policy, Preferences
from schedules.models import SlotLog
from schedules.slots import Ledger


class Planner:
    """Plans one notification for one recipient after the other; `look_up` those first."""

    def __init__(
        self,
        project_id: UUID,
        channels: list[str],
        category: str | None,
        critical: bool,
        workflow: str | None,
        policy: Policy | None,
    ) -> None:
        self.channels = channels
        self._project_id = project_id
        self._category = category
        self._critical = critical
        self._workflow = workflow
        self._policy = policy
        self._rules = _rules_of(project_id)
        self._preferences: dict[UUID, Preferences] = {}
        self._ledger = Ledger((), now=self._rules.now)

    def look_up(self, recipients: Iterable[UUID]) -> None:
        """Read what these want and what they had."""
        asked = set(recipients)
        rows = RecipientPreferences.objects.filter(recipient_id__in=asked)
        self._preferences = {row.recipient_id: parse_preferences(row.settings) for row in rows}
        if self._rules.caps:
            logs = SlotLog.objects.filter(recipient_id__in=asked)
            self._ledger = Ledger(((row.recipient_id, row.key, row.times) for row in logs), now=self._rules.now)

    def preferences(self, recipient_id: UUID) -> Preferences:
        """What the recipient's own preferences are."""
        return self._preferences.get(recipient_id, EMPTY)

    def plan(self, target: Target) -> list[Way]:
        """The ways as routing would plan them; the places that they would take count for the next."""
        ways = plan_ways(
            self.channels,
            target,
            category=self._category,
            critical=self._critical,
            event_type=event_type_of(self._workflow),
            workflow=self._workflow,
            rules=self._rules,
            policy=self._policy,
        )
        return [self._capped(way, target) for way in ways] if self._rules.caps else ways

    def _capped(self, way: Way, target: Target) -> Way:
        candidate = Candidate(self._project_id, target, way, self._category, self._critical, self._policy)
        group = group_of(candidate, self._rules)
        return way if group is None else as_of(way, self._ledger.take(group), self._rules)


def _rules_of(project_id: UUID) -> Rules:
    now = clock.utc_now()
    found = ProjectSettings.objects.filter(project_id=project_id).first()
    if found is None:
        return Rules(now)
    return Rules(now, parse_preferences(found.preferences), parse_caps(found.caps), found.timezone)
