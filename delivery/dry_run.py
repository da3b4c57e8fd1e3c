"""The dry run: whom a submission would reach by which ways, read from the database, decided as routing decides it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from django.db.models import Count, Q
from django.db.models.functions import Now

from delivery.looking_ahead import Planner
from delivery.routing import EMAIL, Address, Target, Way
from notifications import ids
from notifications.addresses import hash_email
from notifications.errors import Fault, Invalid
from notifications.intake.submission import RecipientIn, Submission
from notifications.models import Endpoint, Notification, Recipient, Subscription, Suppression, Topic
from notifications.preferences.shapes import Policy
from notifications.texts import optional_time

MOST_PER_TOPIC: Final = 100
MOST_LISTED: Final = 2000


def plan_submission(submission: Submission) -> list[dict[str, Any]]:
    """One entry per recipients entry: `{"entry", "count", "recipients": [{"recipient", "known", "ways"}]}`.

    Of a topic the first hundred members are listed, and of all topics together at most two thousand. Raises `Invalid` for an
    unknown topic, as accepting it would. Writes nothing.
    """
    topics = _topics(submission)
    inline = {given.id: _given(given) for given in submission.upserts}
    body = submission.body
    said = (body.channels or [], body.category, body.critical, body.workflow, body.quiet_hours)
    planner = Planner(submission.project_id, *said)
    return _plan(submission.project_id, submission.entries, planner, topics, inline)


def plan_accepted(notification: Notification) -> list[dict[str, Any]]:
    """The same for a notification that is accepted and not yet routed; a topic that is gone by now has nobody in it."""
    keys = {entry["topic"] for entry in notification.recipients if not isinstance(entry, str)}
    topics = {row.key: row for row in Topic.objects.filter(project_id=notification.project_id, key__in=keys)}
    planner = Planner(
        notification.project_id,
        notification.channels,
        notification.category,
        notification.critical,
        notification.workflow,
        cast("Policy | None", notification.quiet_hours),
    )
    return _plan(notification.project_id, notification.recipients, planner, topics, {})


def _given(upsert: RecipientIn) -> dict[str, Any]:
    """What an inline entry says of what routing goes by."""
    said = {"email": upsert.email, "timezone": upsert.timezone}
    return {name: value for name, value in said.items() if value is not msgspec.UNSET}


def _plan(
    project_id: UUID,
    entries: list[Any],
    planner: Planner,
    topics: Mapping[str, Topic],
    inline: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    direct = [entry for entry in entries if isinstance(entry, str)]
    known = {row.external_id: row for row in Recipient.objects.filter(project_id=project_id, external_id__in=direct)}
    members = _members(topics)
    everybody = {row.id for row in known.values()} | {row.id for rows in members.values() for row in rows}
    planner.look_up(everybody)
    counts = dict(
        Subscription.objects.filter(topic__in=topics.values()).values_list("topic__key").annotate(Count("id"))
    )
    emails = {*(given.get("email") for given in inline.values()), *(row.email for row in known.values())}
    emails |= {row.email for rows in members.values() for row in rows}
    suppressed = _suppressed(project_id, {email for email in emails if email})
    listed = _Listing(planner, inline, _endpoints(everybody), suppressed)
    return [
        listed.one(entry, known.get(entry))
        if isinstance(entry, str)
        else listed.topic(entry, counts.get(entry["topic"], 0), members.get(entry["topic"], []))
        for entry in entries
    ]


class _Listing:
    """Says each recipient's ways; who was listed before is reached once only."""

    def __init__(
        self,
        planner: Planner,
        inline: Mapping[str, Mapping[str, Any]],
        endpoints: Mapping[UUID, dict[str, tuple[Address, ...]]],
        suppressed: Mapping[bytes, frozenset[str]],
    ) -> None:
        self._planner = planner
        self._suppressed = suppressed
        self._inline = inline
        self._endpoints = endpoints
        self._listed: set[str] = set()

    def one(self, entry: str, row: Recipient | None) -> dict[str, Any]:
        return {"entry": entry, "count": 1, "recipients": [self._recipient(entry, row)]}

    def topic(self, entry: dict[str, str], count: int, rows: Iterable[Recipient]) -> dict[str, Any]:
        return {"entry": entry, "count": count, "recipients": [self._recipient(row.external_id, row) for row in rows]}

    def _recipient(self, external_id: str, row: Recipient | None) -> dict[str, Any]:
        again = external_id in self._listed
        self._listed.add(external_id)
        given = self._inline.get(external_id, {})
        email = given.get("email", row.email if row else None)
        recipient_id = row.id if row else ids.new_uuid()
        target = Target(
            recipient_id,
            external_id,
            email,
            self._endpoints.get(recipient_id, {}),
            self._planner.preferences(recipient_id),
            given.get("timezone", row.timezone if row else None),
            self._suppressed.get(hash_email(email), frozenset()) if email else frozenset(),
        )
        ways = [] if again else [_way_out(way) for way in self._planner.plan(target)]
        return {
            "recipient": external_id,
            "known": row is not None,
            "ways": ways
            or [{**_NO_WAY, "channel": name, "reason": "listed_before"} for name in self._planner.channels],
        }


_NO_WAY: Final = {
    "step": None,
    "delivers": False,
    "address": None,
    "endpoint": None,
    "preference": None,
    "overruled": None,
    "not_before": None,
}


def _way_out(way: Way) -> dict[str, Any]:
    return {
        "channel": way.channel,
        "step": None,
        "delivers": not way.reason or way.not_before is not None,
        "address": way.address,
        "endpoint": ids.encode("end", way.endpoint_id) if way.endpoint_id else None,
        "reason": way.reason or None,
        "preference": way.level,
        "overruled": way.overruled or None,
        "not_before": optional_time(way.not_before),
    }


def _topics(submission: Submission) -> dict[str, Topic]:
    keys = {key for _, key in submission.topics}
    topics = {row.key: row for row in Topic.objects.filter(project_id=submission.project_id, key__in=keys)}
    faults = [
        Fault(f"/recipients/{at}/topic", "No topic has this key.") for at, key in submission.topics if key not in topics
    ]
    if faults:
        raise Invalid(faults)
    return topics


def _members(topics: Mapping[str, Topic]) -> dict[str, list[Recipient]]:
    found: dict[str, list[Recipient]] = {}
    room = MOST_LISTED
    for key, topic in topics.items():
        rows = Subscription.objects.filter(topic=topic).select_related("recipient").order_by("recipient_id")
        found[key] = [row.recipient for row in rows[: min(room, MOST_PER_TOPIC)]] if room else []
        room -= len(found[key])
    return found


def _endpoints(recipients: Iterable[UUID]) -> dict[UUID, dict[str, tuple[Address, ...]]]:
    found: dict[UUID, dict[str, tuple[Address, ...]]] = defaultdict(dict)
    enabled = Endpoint.objects.filter(recipient_id__in=set(recipients), state=Endpoint.State.ENABLED).order_by("id")
    for row in enabled:
        own = found[row.recipient_id]
        own[row.channel] = (*own.get(row.channel, ()), Address(row.id, row.url, row.event_types))
    return found


def _suppressed(project_id: UUID, emails: Iterable[str]) -> dict[bytes, frozenset[str]]:
    """Hash of an address -> why it must not be written to."""
    rows = Suppression.objects.filter(project_id=project_id, channel=EMAIL, address_hash__in=map(hash_email, emails))
    found: dict[bytes, frozenset[str]] = defaultdict(frozenset)
    for row in rows.filter(Q(expires_at=None) | Q(expires_at__gt=Now())):
        found[bytes(row.address_hash)] |= {row.reason}
    return found
