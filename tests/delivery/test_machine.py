"""The delivery engine as a state machine: any order of accepting, routing, claiming, dying, finishing and finishing late,
cancelling and sending again, against a real PostgreSQL whose clock is in the test's hands.

Beside the database runs a model in plain Python. After every step the two must agree, row by row, and no law may be broken.
"Dying" is always the same thing: what a process held in its hands is dropped, and only what it committed stays.

The clock: a schema in front of `pg_catalog` in the search path holds `now()` and `statement_timestamp()`, which read a table. The product's
statements are unchanged; column defaults keep the real time, which the test's clock is ahead of.

`CARILLON_MACHINE_EXAMPLES` and `CARILLON_MACHINE_STEPS` make it run longer. A failure prints the steps that lead to it as a
program and, under `--hypothesis-seed`, the seed of the run.
"""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from delivery import in_app, services
from delivery import route as routing
from delivery.claims import Claim, claim
from delivery.conf import DeliveryConf
from delivery.due import FIRST_PROJECT
from delivery.finish import Finish
from delivery.finishes import Finisher
from delivery.laws import BROKEN, SINCE_EVER
from delivery.retries import Verdict, give_back
from delivery.states import CANCELLABLE, OPEN, RETRYABLE, State
from notifications import ids
from notifications.database import Pool, connection_options
from notifications.errors import Conflict
from notifications.intake.requests import Answer, Idempotency, Request
from notifications.intake.submission import parse_submission
from notifications.intake.writer import write
from tests.delivery.world import unheard

T = TypeVar("T")

EXAMPLES: Final = int(os.environ.get("CARILLON_MACHINE_EXAMPLES", "120"))
STEPS: Final = int(os.environ.get("CARILLON_MACHINE_STEPS", "50"))

CONF: Final = DeliveryConf(lease_seconds=60.0, max_claims=3, route_batch=3, route_chunk=1)
PEOPLE: Final = ("u0", "u1", "u2")
TEAM: Final = "team"
MEMBERS: Final = tuple(f"m{n}" for n in range(7))  # more than one turn of routing takes
CHANNELS: Final = ("email", "in_app")
AHEAD: Final = timedelta(hours=1)
SEARCH_PATH: Final = "machine, pg_catalog, public"

CLOCK: Final = """
    DROP SCHEMA IF EXISTS machine CASCADE;
    CREATE SCHEMA machine;
    CREATE TABLE machine.clock (hand timestamptz NOT NULL);
    INSERT INTO machine.clock VALUES (pg_catalog.now());
    CREATE FUNCTION machine.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT hand FROM machine.clock';
    CREATE FUNCTION machine.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
        AS 'SELECT hand FROM machine.clock'"""
EMPTY: Final = tuple(
    f"DELETE FROM {table}"
    for table in (
        "delivery_attempt",
        "delivery_delivery",
        "notifications_inboxevent",
        "notifications_inboxmessage",
        "notifications_inbox",
        "notifications_subscription",
        "notifications_topic",
        "notifications_recipient",
        "notifications_notification",
        "notifications_idempotencykey",
    )
)

PHASES: Final = [Phase.generate, *([Phase.shrink] if os.environ.get("CARILLON_MACHINE_SHRINK", "1") == "1" else [])]

pick = st.integers(min_value=0, max_value=99)  # an index into whatever there is: draws never depend on the database


@dataclass
class Accepted:
    """The model of one notification."""

    id: UUID
    names: tuple[str, ...]
    topic: bool
    channels: tuple[str, ...]
    critical: bool
    available_at: datetime | None
    expires_at: datetime | None
    status: str = "accepted"
    reason: str = ""
    claims: int = 0
    token: UUID | None = None
    chunks: int = 0

    @property
    def everybody(self) -> set[tuple[str, str]]:
        people = {*self.names, *(MEMBERS if self.topic else ())}
        return {(name, channel) for name in people for channel in self.channels}

    @property
    def reached(self) -> set[tuple[str, str]]:
        """Who has deliveries by now, if routing went as far as the model knows."""
        if self.status == "routed":
            return self.everybody
        return {(name, channel) for name in MEMBERS[: self.chunks] for channel in self.channels}


@dataclass
class Copy:
    """The model of one delivery."""

    notification: Accepted
    name: str
    channel: str
    state: State
    reason: str
    available_at: datetime | None
    expires_at: datetime | None
    id: UUID
    token: UUID | None = None
    claims: int = 0
    retry_step: int = 0
    attempts: list[UUID | None] = field(default_factory=list)
    wins: int = 0
    replays: int = 0

    def end(self, state: State, reason: str) -> None:
        self.state, self.reason, self.available_at, self.token = state, reason, None, None
        self.wins += state in (State.SENT, State.DELIVERED)


@dataclass
class Outcome:
    """What the model expects at an attempt's row."""

    outcome: str | None = None
    applied: bool = True


class Machine(RuleBasedStateMachine):
    """One engine's life, one step at a time."""

    project: UUID
    loop: asyncio.AbstractEventLoop
    connection: AsyncConnection[Any]
    pool: Pool

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC) + AHEAD
        self.accepted: dict[UUID, Accepted] = {}
        self.copies: dict[UUID, Copy] = {}
        self.outcomes: dict[UUID, Outcome] = {}
        self.inboxes: dict[str, list[UUID]] = {}
        self.in_hand: list[Claim] = []
        self.said: list[Finish] = []
        self.half_routed: list[routing.Routing] = []
        self.keys: dict[str, UUID] = {}
        self.versions: dict[UUID, str] = {}  # of rows before a step: which of them it wrote
        self.finisher = Finisher(self.pool)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        async def ask() -> list[tuple[Any, ...]]:
            cursor = await self.connection.execute(text, values)
            return await cursor.fetchall() if cursor.description else []

        return self.run(ask())

    @initialize()
    def empty(self) -> None:
        """An empty database at the beginning of time, with a topic."""
        for statement in EMPTY:
            self.sql(statement)
        self.sql("UPDATE machine.clock SET hand = %s", self.now)
        topic = ids.new_uuid()
        self.sql(
            "INSERT INTO notifications_topic (id, project_id, key, name) VALUES (%s, %s, %s, '')",
            topic,
            self.project,
            TEAM,
        )
        for name in MEMBERS:
            recipient = ids.new_uuid()
            self.sql(
                "INSERT INTO notifications_recipient (id, project_id, external_id, email, data)"
                " VALUES (%s, %s, %s, %s, '{}')",
                recipient,
                self.project,
                name,
                f"{name}@example.com",
            )
            self.sql(
                "INSERT INTO notifications_subscription (id, topic_id, recipient_id) VALUES (%s, %s, %s)",
                ids.new_uuid(),
                topic,
                recipient,
            )

    # Time

    @rule(seconds=st.sampled_from([1, 20, 61, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.sql("UPDATE machine.clock SET hand = %s", self.now)

    # Accepting

    @rule(
        names=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True),
        topic=st.booleans(),
        channels=st.sampled_from([("email",), ("in_app",), CHANNELS]),
        critical=st.booleans(),
        expires=st.sampled_from([None, None, 50, 100]),
        later=st.sampled_from([None, None, 30]),
        key=st.sampled_from([None, "k1", "k2"]),
    )
    def accept(
        self,
        names: list[str],
        topic: bool,
        channels: tuple[str, ...],
        critical: bool,
        expires: int | None,
        later: int | None,
        key: str | None,
    ) -> None:
        """Accept a notification; with a key that was used before, the first answer comes again and nothing happens."""
        send_at = self.now + timedelta(seconds=later) if later else None
        expires_at = self.now + timedelta(seconds=expires) if expires else None
        body = {
            "recipients": [
                *({"id": name, "email": f"{name}@example.com"} for name in names),
                *[{"topic": TEAM}] * topic,
            ],
            "channels": list(channels),
            "content": {"title": "Hi", "body": "there"},
            "critical": critical,
            **({"send_at": send_at.isoformat()} if send_at else {}),
            **({"expires_at": expires_at.isoformat()} if expires_at else {}),
        }
        submission = parse_submission(body, project_id=self.project, conf=_intake_conf(), now=self.now)
        said = str(submission.id).encode()
        request = Request(
            self.project, [submission], lambda faults: Answer(202, said), Idempotency(key, "same") if key else None
        )
        (answer,) = self.run(write(self.connection, [request], keep_hours=24))
        assert isinstance(answer, Answer)
        if key in self.keys:
            assert (answer.body.decode(), answer.replayed) == (str(self.keys[key]), True)
            return
        assert (answer.body, answer.replayed) == (said, False)
        if key:
            self.keys[key] = submission.id
        self.accepted[submission.id] = Accepted(
            submission.id, tuple(names), topic, channels, critical, send_at or self.now, expires_at
        )

    # Routing

    @rule()
    def route(self) -> None:
        """One batch, to its end."""
        before = {item.id: item for item in self._routable()}
        count = self.run(routing.route(self.connection, CONF, unheard))
        assert count == min(len(before), CONF.route_batch)
        taken = self._judge_routed(before)
        assert len(taken) == count
        for item in taken:
            if item.status == "accepted":
                self._advance_routing(item)

    @rule()
    def route_and_die(self) -> None:
        """A process claims a batch and dies."""
        before = {item.id: item for item in self._routable()}
        self._claim_for_routing(before)

    @rule()
    def route_slowly(self) -> None:
        """A process claims a batch and goes on with it later, perhaps too late."""
        before = {item.id: item for item in self._routable()}
        self.half_routed += self._claim_for_routing(before)

    @rule(which=pick)
    def route_goes_on(self, which: int) -> None:
        if not self.half_routed:
            return
        item = self.half_routed.pop(which % len(self.half_routed))
        if item.topics:
            self.run(routing._route_topics(self.connection, item, CONF, unheard))
        else:
            self.run(routing._route_small(self.connection, [item]))
        known = self.accepted[item.id]
        if known.token == item.token:
            self._advance_routing(known, replace(item).cursor)

    def _routable(self) -> list[Accepted]:
        self.versions = dict(self.sql("SELECT id, xmin::text FROM notifications_notification"))
        return [a for a in self.accepted.values() if a.available_at is not None and a.available_at <= self.now]

    def _claim_for_routing(self, before: dict[UUID, Accepted]) -> list[routing.Routing]:
        values = {
            "limit": CONF.route_batch,
            "lease": CONF.lease_seconds,
            "max_claims": CONF.max_claims,
            "tokens": [ids.new_uuid() for _ in range(CONF.route_batch)],
            "after": FIRST_PROJECT,
        }

        async def take() -> list[tuple[Any, ...]]:
            return await (await self.connection.execute(routing._CLAIM, values)).fetchall()

        rows = self.run(take())
        taken = self._judge_routed(before)
        assert {item.id for item in taken} == {row[0] for row in rows}
        return [routing.Routing(*row[:-1]) for row in rows if row[-1] == "accepted"]

    def _judge_routed(self, before: dict[UUID, Accepted]) -> list[Accepted]:
        """What a claim does to rows, told from the number of claims; critical ones come first."""
        rows = {
            row[0]: row[1:] for row in self.sql("SELECT id, lease_token, xmin::text FROM notifications_notification")
        }
        taken = [item for key, item in before.items() if rows[key][1] != self.versions[key]]
        passed_over = [item for item in before.values() if item not in taken]
        assert not any(item.critical for item in passed_over) or all(item.critical for item in taken)
        for item in taken:
            if item.expires_at is not None and item.expires_at <= self.now:
                item.status, item.reason, item.available_at, item.token = "expired", "expires_at_passed", None, None
            elif item.claims >= CONF.max_claims:
                item.status, item.reason, item.available_at, item.token = "failed", "poison", None, None
            else:
                item.available_at = self.now + timedelta(seconds=CONF.lease_seconds)
                item.token = rows[item.id][0]
            item.claims += 1
        return taken

    def _advance_routing(self, item: Accepted, cursor: Any = None) -> None:
        """A turn of routing that was not fenced off: some chunks of a topic, or everything."""
        item.claims = 0
        item.token = None
        # A chunk holds one member; the page after the last member ends the topic.
        if item.topic and item.chunks < len(MEMBERS):
            item.chunks += 1
            item.available_at = self.now
        else:
            item.status, item.available_at = "routed", None
        self._adopt(item)

    def _adopt(self, item: Accepted) -> None:
        """Learn the ids of deliveries that routing has just made; there must be exactly those of whom it reached."""
        rows = self.sql(
            "SELECT d.id, r.external_id, d.channel FROM delivery_delivery d"
            " JOIN notifications_recipient r ON r.id = d.recipient_id WHERE d.notification_id = %s",
            item.id,
        )
        assert {(name, channel) for _, name, channel in rows} == item.reached
        assert len(rows) == len(item.reached)
        for key, name, channel in rows:
            if key not in self.copies:
                self.copies[key] = Copy(item, name, channel, State.QUEUED, "", self.now, item.expires_at, key)

    # Sending

    def _due(self, channel: str) -> list[Copy]:
        self.versions = dict(self.sql("SELECT id, xmin::text FROM delivery_delivery"))
        return [
            copy
            for copy in self.copies.values()
            if copy.channel == channel and copy.available_at is not None and copy.available_at <= self.now
        ]

    def _judge_claimed(self, due: list[Copy], seen: int, claims: list[Claim]) -> None:
        tokens = {item.delivery_id: item for item in claims}
        versions = dict(self.sql("SELECT id, xmin::text FROM delivery_delivery"))
        looked_at = [copy for copy in due if versions[copy.id] != self.versions[copy.id]]
        assert len(looked_at) == seen
        passed_over = [copy for copy in due if copy not in looked_at]
        assert not any(copy.notification.critical for copy in passed_over) or all(
            copy.notification.critical for copy in looked_at
        )
        for copy in looked_at:
            if copy.expires_at is not None and copy.expires_at <= self.now:
                copy.end(State.EXPIRED, "expires_at_passed")
            elif copy.claims >= CONF.max_claims:
                copy.end(State.FAILED, "poison")
            else:
                item = tokens.pop(copy.id)
                copy.state, copy.reason, copy.token = State.SENDING, "", item.token
                copy.available_at = self.now + timedelta(seconds=CONF.lease_seconds)
                copy.attempts.append(item.token)
                assert item.attempt == len(copy.attempts)
                assert (item.recipient, item.retry_step) == (copy.name, copy.retry_step)
                self.outcomes[item.token] = Outcome()
            copy.claims += 1
        assert tokens == {}, "claimed what was not due"

    @rule(limit=st.integers(min_value=1, max_value=6), dies=st.booleans())
    def claim(self, limit: int, dies: bool) -> None:
        """A process claims a batch of mails; if it dies, nobody will ever finish them under these tokens."""
        due = self._due("email")
        seen, claims = self.run(self._claim(self.connection, limit))
        assert seen == min(limit, len(due))
        self._judge_claimed(due, seen, claims)
        self.in_hand += [] if dies else claims

    @rule(limit=st.integers(min_value=1, max_value=4))
    def two_claim_at_once(self, limit: int) -> None:
        due = self._due("email")

        async def both() -> list[tuple[int, list[Claim]]]:
            async with self.pool.connection() as one, self.pool.connection() as two:
                return await asyncio.gather(self._claim(one, limit), self._claim(two, limit))

        results = self.run(both())
        claims = [item for _, mine in results for item in mine]
        assert len({item.delivery_id for item in claims}) == len(claims)
        self._judge_claimed_by_two(due, sum(seen for seen, _ in results), claims)
        self.in_hand += claims

    def _judge_claimed_by_two(self, due: list[Copy], seen: int, claims: list[Claim]) -> None:
        critical = [copy for copy in due if copy.notification.critical]
        # Two who claim at once may pass over what the other had locked, so the order between them is not strict.
        before = {copy.id: copy.notification.critical for copy in due}
        for copy in critical:
            copy.notification.critical = False
        self._judge_claimed(due, seen, claims)
        for copy in due:
            copy.notification.critical = before[copy.id]

    async def _claim(self, connection: AsyncConnection[Any], limit: int) -> tuple[int, list[Claim]]:
        return await claim(
            connection, channel="email", limit=limit, lease_seconds=CONF.lease_seconds, max_claims=CONF.max_claims
        )

    @rule(
        which=pick,
        verdict=st.sampled_from(
            [
                Verdict(State.SENT, "accepted", "accepted"),
                Verdict(State.FAILED, "mailbox_unknown", "mailbox_unknown"),
                Verdict(State.RETRYING, "greylisted", "greylisted", delay_seconds=30.0, retry_step=1),
                Verdict(State.RETRYING, "ambiguous", "ambiguous", delay_seconds=300.0, retry_step=2),
                give_back(0),
            ]
        ),
    )
    def finish(self, which: int, verdict: Verdict) -> None:
        """An attempt ends; too late when somebody else has claimed the row, or ended it, meanwhile."""
        if not self.in_hand:
            return
        item = self.in_hand.pop(which % len(self.in_hand))
        finish = Finish(item.delivery_id, item.token, None, "email", verdict, 12, {"code": 250})
        self.said.append(finish)
        self.run(self.finisher.write(finish))
        copy = self.copies[item.delivery_id]
        applied = copy.token == item.token
        self.outcomes[item.token] = Outcome(verdict.outcome, applied)
        if applied:
            self._apply(copy, verdict)

    def _apply(self, copy: Copy, verdict: Verdict) -> None:
        copy.claims, copy.retry_step = 0, verdict.retry_step
        if verdict.delay_seconds is None:
            copy.end(verdict.state, verdict.reason)
        else:
            copy.state, copy.reason, copy.token = verdict.state, verdict.reason, None
            copy.available_at = self.now + timedelta(seconds=verdict.delay_seconds)

    @rule(which=pick)
    def finish_again(self, which: int) -> None:
        """The connection broke after the commit, so the finish is written once more: that changes nothing."""
        if self.said:
            self.run(self.finisher.write(self.said[which % len(self.said)]))

    @rule(which=pick)
    def finish_while_others_claim(self, which: int) -> None:
        """A late finish races with the next claim: one of them has the row, and both know which."""
        if not self.in_hand:
            return
        item = self.in_hand.pop(which % len(self.in_hand))
        verdict = Verdict(State.SENT, "accepted", "accepted")
        finish = Finish(item.delivery_id, item.token, None, "email", verdict, 12, {})
        self.said.append(finish)
        due = self._due("email")
        copy = self.copies[item.delivery_id]
        ours = copy.token == item.token

        async def both() -> tuple[int, list[Claim]]:
            _, taken = await asyncio.gather(self.finisher.write(finish), self._claim(self.connection, 100))
            return taken

        seen, claims = self.run(both())
        ((state,),) = self.sql("SELECT state FROM delivery_delivery WHERE id = %s", copy.id)
        won = ours and state == State.SENT
        self.outcomes[item.token] = Outcome("accepted", won)
        if won:
            assert item.delivery_id not in {each.delivery_id for each in claims}
            self._apply(copy, verdict)
            due = [each for each in due if each is not copy]
        self._judge_claimed(due, seen, claims)
        self.in_hand += claims

    @rule(limit=st.integers(min_value=1, max_value=6))
    def deliver_in_app(self, limit: int) -> None:
        due = {copy.id: copy for copy in self._due("in_app")}
        count, events = self.run(in_app.deliver(self.connection, limit=limit))
        assert count == min(limit, len(due))
        ended = self.sql(
            'SELECT d.id, m."offset" FROM delivery_delivery d LEFT JOIN notifications_inboxmessage m ON m.delivery_id = d.id'
            " WHERE d.id = ANY(%s) AND d.available_at IS NULL ORDER BY 2",
            list(due),
        )
        assert len(ended) == count
        stored = 0
        for key, offset in ended:
            copy = due[key]
            copy.claims = 0
            if copy.expires_at is not None and copy.expires_at <= self.now:
                assert offset is None
                copy.end(State.EXPIRED, "expires_at_passed")
            else:
                inbox = self.inboxes.setdefault(copy.name, [])
                inbox.append(key)
                assert offset == len(inbox)
                copy.end(State.DELIVERED, "stored_in_inbox")
                copy.attempts.append(None)
                stored += 1
        assert len(events) == stored

    # Control

    @rule(which=pick)
    def cancel(self, which: int) -> None:
        """Cancel a notification: what is being sent right now wins over it."""
        if not self.accepted:
            return
        item = list(self.accepted.values())[which % len(self.accepted)]
        mine = [c for c in self.copies.values() if c.notification is item and c.state in CANCELLABLE]
        was_open = item.status == "accepted"
        try:
            count = services.cancel_notification(notification_id=item.id, project_id=self.project)
        except Conflict:
            assert not mine
            assert item.status not in ("accepted", "cancelled")
            return
        assert count == len(mine)
        for copy in mine:
            copy.end(State.CANCELLED, "cancelled_by_caller")
        if was_open:
            item.status, item.reason, item.available_at, item.token = "cancelled", "cancelled_by_caller", None, None

    @rule(which=pick)
    def send_again(self, which: int) -> None:
        """Retry one delivery: allowed exactly for those that ended without reaching anybody."""
        if not self.copies:
            return
        copy = list(self.copies.values())[which % len(self.copies)]
        try:
            services.retry_delivery(delivery_id=copy.id, project_id=self.project)
        except Conflict:
            assert copy.state not in RETRYABLE
            return
        assert copy.state in RETRYABLE
        copy.state, copy.reason, copy.available_at, copy.expires_at = State.QUEUED, "", self.now, None
        copy.claims = copy.retry_step = 0
        copy.replays += 1

    # What must be true after every step

    @invariant()
    def laws_hold(self) -> None:
        assert self.run(self._broken()) == []

    async def _broken(self) -> list[Any]:
        return await (await self.connection.execute(BROKEN, {"since": SINCE_EVER})).fetchall()

    @invariant()
    def notifications_are_as_modelled(self) -> None:
        rows = self.sql("SELECT id, status, reason, claims, lease_token, available_at FROM notifications_notification")
        found = {row[0]: row[1:4] for row in rows}
        assert found == {a.id: (a.status, a.reason, a.claims) for a in self.accepted.values()}
        for key, *_, token, available_at in rows:
            known = self.accepted[key]
            assert token == known.token
            # The column's default is the real clock's, for what is due at once.
            if known.available_at is None or known.token is not None:
                assert available_at == known.available_at
            else:
                assert available_at <= known.available_at

    @invariant()
    def deliveries_are_as_modelled(self) -> None:
        rows = self.sql(
            "SELECT id, state, reason, available_at, lease_token, claims, retry_step, attempt_count, expires_at"
            " FROM delivery_delivery"
        )
        assert {row[0]: row[1:] for row in rows} == {
            c.id: (
                c.state.value,
                c.reason,
                c.available_at,
                c.token,
                c.claims,
                c.retry_step,
                len(c.attempts),
                c.expires_at,
            )
            for c in self.copies.values()
        }

    @invariant()
    def attempts_are_as_modelled(self) -> None:
        rows = self.sql(
            "SELECT a.id, a.outcome, a.applied FROM delivery_attempt a"
            " JOIN delivery_delivery d ON d.id = a.delivery_id WHERE d.channel = 'email'"
        )
        assert {key: (outcome, applied) for key, outcome, applied in rows} == {
            key: (known.outcome, known.applied) for key, known in self.outcomes.items()
        }

    @invariant()
    def nobody_wins_twice(self) -> None:
        for copy in self.copies.values():
            assert copy.wins <= 1
            assert (copy.state in OPEN) == (copy.available_at is not None)

    @invariant()
    def inboxes_are_as_modelled(self) -> None:
        rows = self.sql(
            'SELECT r.external_id, array_agg(m.delivery_id ORDER BY e."offset") FROM notifications_inboxevent e'
            " JOIN notifications_inboxmessage m ON m.id = e.message_id"
            " JOIN notifications_recipient r ON r.id = e.recipient_id GROUP BY 1"
        )
        assert dict(rows) == self.inboxes

    def teardown(self) -> None:
        """Nothing is stuck: time passes and work goes on until everything has come to its end."""
        if not self.accepted:
            return
        self.in_hand.clear()
        for _ in range(8):
            self.time_passes(400)
            for _ in range(1 + len(self.accepted) * 2):
                self.route()
            while self._due("email"):
                self.claim(50, False)
                while self.in_hand:
                    self.finish(0, Verdict(State.SENT, "accepted", "accepted"))
            while self._due("in_app"):
                self.deliver_in_app(50)
        self.notifications_are_as_modelled()
        self.deliveries_are_as_modelled()
        self.laws_hold()
        assert not [a for a in self.accepted.values() if a.status == "accepted"]
        assert not [c for c in self.copies.values() if c.state in OPEN]


def _intake_conf() -> Any:
    from notifications.conf import conf

    return replace(conf(), channels=frozenset(CHANNELS))


@contextmanager
def clock() -> Iterator[str]:
    """The test's clock in this database, for connections with these options; Django's own of this thread included."""
    from django.db import connection as django_connection

    options = connection_options()
    with psycopg.connect(**options, autocommit=True) as client:
        client.execute(CLOCK)
    with django_connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {SEARCH_PATH}")
    try:
        yield f"-c search_path={SEARCH_PATH.replace(' ', '')}"
    finally:
        with django_connection.cursor() as cursor:
            cursor.execute("RESET search_path")
        with psycopg.connect(**options, autocommit=True) as client:
            client.execute("DROP SCHEMA machine CASCADE")


@pytest.mark.timeout(0 if EXAMPLES > 100 else 600)
def test_the_engine_keeps_its_promises_in_any_order_of_events(project_id: UUID) -> None:
    loop = asyncio.new_event_loop()

    async def open_all(options: str) -> tuple[AsyncConnection[Any], Any]:
        kwargs = {**connection_options(), "options": options, "autocommit": True}
        pool: Any = AsyncConnectionPool(kwargs=kwargs, min_size=3, max_size=3, open=False)
        await pool.open(wait=True)
        return await AsyncConnection.connect(**kwargs), pool

    async def close_all(connection: AsyncConnection[Any], pool: Any) -> None:
        await connection.close()
        await pool.close()

    with clock() as options:
        connection, pool = loop.run_until_complete(open_all(options))

        class Here(Machine):
            pass

        Here.loop, Here.project, Here.connection, Here.pool = loop, project_id, connection, pool
        try:
            run_state_machine_as_test(
                Here,
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    print_blob=True,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                    phases=PHASES,
                ),
            )
        finally:
            loop.run_until_complete(close_all(connection, pool))
            loop.close()
