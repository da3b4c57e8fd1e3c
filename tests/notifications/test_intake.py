"""The group commit against the real PostgreSQL: one batch, many batches, a poisoned member, a database that is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from deploy.config import database
from deploy.launcher.postgres import EmbeddedPostgres
from deploy.logs import configure_logging
from notifications.conf import NotificationsConf
from notifications.database import connect
from notifications.errors import Invalid, KeyReused, Unavailable
from notifications.executor import in_thread
from notifications.intake.queue import Intake
from notifications.intake.requests import Answer, Idempotency, Request
from notifications.intake.submission import Submission, parse_submission
from notifications.intake.writer import Connection, write
from notifications.models import IdempotencyKey, Notification, Project, Recipient, Topic
from tests.fixtures.servers import RunningServer

CONF = NotificationsConf()
HOURS = CONF.idempotency_keep_hours


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(name="intake")


@pytest.fixture
async def connection(project: Project) -> AsyncIterator[Connection]:
    async with await connect() as opened:
        yield opened


def submission(project: Project, *recipients: Any, title: str = "t", **changes: Any) -> Submission:
    body = {"recipients": list(recipients) or ["u1"], "content": {"title": title}, "channels": ["in_app"], **changes}
    return parse_submission(body, project_id=project.id, conf=CONF, now=datetime.now(UTC))


def request(project: Project, *submissions: Submission, key: str | None = None, print_: str = "same") -> Request:
    def answer(faults: dict[int, Invalid]) -> Answer:
        if faults:
            raise faults[0]
        return Answer(202, ",".join(str(item.id) for item in submissions).encode(), {"Location": "/here"})

    return Request(project.id, list(submissions), answer, Idempotency(key, print_) if key else None)


async def titles(project: Project) -> list[str]:
    rows = Notification.objects.filter(project=project).order_by("id")
    return await in_thread(lambda: [row.content["title"] for row in rows])


async def test_a_batch_is_written_and_each_is_answered_for_itself(project: Project, connection: Connection) -> None:
    requests = [request(project, submission(project, title=f"n{n}")) for n in range(50)]
    outcomes = await write(connection, requests, keep_hours=HOURS)
    assert [isinstance(outcome, Answer) and outcome.body.decode() for outcome in outcomes] == [
        str(item.submissions[0].id) for item in requests
    ]
    assert await titles(project) == [f"n{n}" for n in range(50)]


async def test_one_key_twice_in_one_batch(project: Project, connection: Connection) -> None:
    first, second = (request(project, submission(project, title=title), key="k") for title in ("first", "second"))
    other = request(project, submission(project, title="other"), key="k", print_="another body")
    told = await write(connection, [first, second, other], keep_hours=HOURS)
    assert isinstance(told[0], Answer) and isinstance(told[1], Answer)
    assert (told[0].replayed, told[1].replayed) == (False, True)
    assert (told[0].body, told[0].headers) == (told[1].body, told[1].headers)
    assert isinstance(told[2], KeyReused)
    assert await titles(project) == ["first"]


async def test_one_key_in_two_batches(project: Project, connection: Connection) -> None:
    (first,) = await write(
        connection, [request(project, submission(project, title="first"), key="k")], keep_hours=HOURS
    )
    (again,) = await write(
        connection, [request(project, submission(project, title="again"), key="k")], keep_hours=HOURS
    )
    (other,) = await write(
        connection, [request(project, submission(project, title="x"), key="k", print_="other")], keep_hours=HOURS
    )
    assert isinstance(first, Answer) and isinstance(again, Answer)
    assert (again.body, again.status, again.headers, again.replayed) == (first.body, 202, {"Location": "/here"}, True)
    assert isinstance(other, KeyReused)
    assert await titles(project) == ["first"]


async def test_a_refused_request_does_not_use_its_key_up(project: Project, connection: Connection) -> None:
    wrong = request(project, submission(project, {"topic": "later"}), key="k")
    (refused,) = await write(connection, [wrong], keep_hours=HOURS)
    assert isinstance(refused, Invalid)
    assert [fault.pointer for fault in refused.faults] == ["/recipients/0/topic"]
    assert not await in_thread(IdempotencyKey.objects.exists)
    await in_thread(Topic.objects.create, project=project, key="later")
    (taken,) = await write(connection, [wrong], keep_hours=HOURS)
    assert isinstance(taken, Answer) and not taken.replayed


async def test_a_repeat_is_answered_as_before_although_its_topic_has_gone(
    project: Project, connection: Connection
) -> None:
    await in_thread(Topic.objects.create, project=project, key="brief")
    first = request(project, submission(project, {"topic": "brief"}), key="k")
    [accepted] = await write(connection, [first], keep_hours=HOURS)
    await in_thread(Topic.objects.filter(project=project, key="brief").delete)
    [again] = await write(connection, [first], keep_hours=HOURS)
    assert isinstance(accepted, Answer)
    assert isinstance(again, Answer)
    assert (again.body, again.replayed) == (accepted.body, True)
    assert await in_thread(Notification.objects.filter(project=project).count) == 1


async def test_unknown_topics_harm_only_who_named_them(project: Project, connection: Connection) -> None:
    await in_thread(Topic.objects.create, project=project, key="known")
    foreign = await in_thread(Project.objects.create, name="foreign")
    await in_thread(Topic.objects.create, project=foreign, key="foreign")
    outcomes = await write(
        connection,
        [
            request(project, submission(project, {"topic": "known"}, title="kept")),
            request(project, submission(project, "u1", {"topic": "unknown"}, title="lost")),
            request(project, submission(project, {"topic": "foreign"}, title="lost")),
            request(project, submission(project, title="kept too")),
        ],
        keep_hours=HOURS,
    )
    assert [type(outcome) for outcome in outcomes] == [Answer, Invalid, Invalid, Answer]
    assert await titles(project) == ["kept", "kept too"]


async def test_inline_recipients_merge_and_the_last_mention_wins(project: Project, connection: Connection) -> None:
    await in_thread(
        Recipient.objects.create, project=project, external_id="old", name="Old", email="old@example.com", data={"k": 1}
    )
    await write(
        connection,
        [
            request(project, submission(project, {"id": "new", "name": "N", "email": "n1@example.com"})),
            request(
                project, submission(project, {"id": "new", "email": "n2@example.com"}, {"id": "old", "locale": "de"})
            ),
            request(project, submission(project, {"id": "old", "email": None, "data": {"x": [1]}})),
        ],
        keep_hours=HOURS,
    )
    rows = {row.external_id: row for row in await in_thread(lambda: list(Recipient.objects.filter(project=project)))}
    new, old = rows["new"], rows["old"]
    assert (new.name, new.email, new.data) == ("N", "n2@example.com", {})
    assert (old.name, old.email, old.locale, old.data) == ("Old", None, "de", {"x": [1]})
    assert len(rows) == 2


async def test_an_unchanged_recipient_is_not_rewritten(project: Project, connection: Connection) -> None:
    same = {"id": "u", "email": "u@example.com", "data": {"b": 1, "a": [None]}}
    await write(connection, [request(project, submission(project, same))], keep_hours=HOURS)
    read: Callable[[], Any] = lambda: Recipient.objects.values_list("updated_at", flat=True).get(external_id="u")  # noqa: E731
    before = await in_thread(read)
    await write(connection, [request(project, submission(project, same))], keep_hours=HOURS)
    assert await in_thread(read) == before


async def test_send_at_is_when_it_is_claimed(project: Project, connection: Connection) -> None:
    later = submission(project, send_at="2026-12-24T18:00:00+01:00")
    later.send_at = datetime(2030, 1, 1, tzinfo=UTC)
    await write(connection, [request(project, later), request(project, submission(project))], keep_hours=HOURS)
    rows = await in_thread(lambda: list(Notification.objects.filter(project=project).order_by("created_at", "id")))
    assert {row.available_at == row.send_at for row in rows} == {True, False}


@pytest.fixture
async def intake(project: Project) -> AsyncIterator[tuple[Intake, list[int]]]:
    """An intake of the test's own, and how often it would have rung."""
    configure_logging()  # structlog's own default paints tracebacks for seconds, on the loop that answers
    rung: list[int] = []
    opened = Intake(CONF, on_commit=lambda: rung.append(1))
    opened.start()
    yield opened, rung
    await opened.stop()


async def test_those_who_wait_together_share_commits(project: Project, intake: tuple[Intake, list[int]]) -> None:
    opened, rung = intake
    wanted = [request(project, submission(project, title=f"n{n}")) for n in range(300)]
    answers = await asyncio.gather(*(opened.submit(item) for item in wanted))
    assert [answer.body.decode() for answer in answers] == [str(item.submissions[0].id) for item in wanted]
    assert len(await titles(project)) == 300
    assert 1 <= len(rung) < 30


async def test_nobody_waits_beyond_the_deadline_whoever_came_before(project: Project, connection: Connection) -> None:
    front = Intake(replace(CONF, intake_timeout_seconds=0.3), on_commit=lambda: None)
    front.start()
    async with connection.transaction():
        await connection.execute("LOCK TABLE notifications_notification IN ACCESS EXCLUSIVE MODE")
        late = []
        for n in range(3):  # more than there are writers, each with a deadline of its own
            late.append(asyncio.create_task(front.submit(request(project, submission(project, title=f"n{n}")))))
            await asyncio.sleep(0.05)
        outcomes = await asyncio.gather(*late, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    accepted = await front.submit(request(project, submission(project, title="after")))
    assert accepted.status == 202
    await front.stop()
    assert "after" in await titles(project)


async def test_a_poisoned_member_harms_only_itself(project: Project, intake: tuple[Intake, list[int]]) -> None:
    opened, _ = intake
    poisoned = submission(project, title="poisoned")
    poisoned.body.actor = "\x00"  # got past every check, and PostgreSQL cannot store it
    requests = [request(project, submission(project, title=f"n{n}"), key=f"k{n}") for n in range(20)]
    requests.insert(7, request(project, poisoned, key="poisoned"))
    outcomes = await asyncio.gather(*(opened.submit(item) for item in requests), return_exceptions=True)
    assert isinstance(outcomes.pop(7), Unavailable)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Answer) or outcome.replayed] == []
    assert sorted(await titles(project)) == sorted(f"n{n}" for n in range(20))
    keys = await in_thread(lambda: set(IdempotencyKey.objects.values_list("key", flat=True)))
    assert keys == {f"k{n}" for n in range(20)}


async def test_what_cannot_be_put_into_words_harms_only_itself_and_stops_no_writer(
    project: Project, intake: tuple[Intake, list[int]]
) -> None:
    front, _ = intake
    for _ in range(2 * CONF.intake_writers):
        bad = request(project, submission(project, title="bad", data={"half": "\ud800"}))
        good = [request(project, submission(project, title="good")) for _ in range(3)]
        answers = await asyncio.gather(*(front.submit(r) for r in (good[0], bad, *good[1:])), return_exceptions=True)
        assert isinstance(answers[1], Unavailable)
        assert all(isinstance(answer, Answer) for answer in (answers[0], *answers[2:]))
    assert set(await titles(project)) == {"good"}


async def test_two_writers_and_the_same_recipients_do_not_deadlock(project: Project) -> None:
    names = [f"u{n}" for n in range(40)]
    async with await connect() as one, await connect() as two:

        async def rounds(connection: Connection, order: list[str]) -> None:
            for round_ in range(15):
                inline = [{"id": name, "email": f"r{round_}@example.com"} for name in order]
                await write(
                    connection, [request(project, submission(project, *inline), key=f"{round_}")], keep_hours=HOURS
                )

        await asyncio.gather(rounds(one, names), rounds(two, names[::-1]))
    assert len(await titles(project)) == 15
    assert await in_thread(Recipient.objects.filter(project=project).count) == 40


async def test_without_postgresql_nobody_is_told_202(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres = RunningServer(EmbeddedPostgres(tmp_path, durable=False), tmp_path / "log")
    assert isinstance(postgres.server, EmbeddedPostgres)
    for name in ("HOST", "PORT", "USER", "NAME"):
        monkeypatch.setitem(settings.DATABASES["default"], name, database(postgres.url)[name])
    opened = Intake(CONF, on_commit=lambda: None)
    opened.start()
    project = Project(name="not stored")
    try:
        with pytest.raises(Unavailable):  # reachable, but there are no tables: refused, not lost
            await opened.submit(request(project, submission(project)))
        postgres.kill()
        for _ in range(3):
            with pytest.raises(Unavailable):
                await opened.submit(request(project, submission(project)))
        await opened.stop()
    finally:
        postgres.stop()
        postgres.server.release()
