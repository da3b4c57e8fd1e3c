"""Schedules over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from notifications.errors import Conflict
from notifications.ids import decode
from notifications.models import AuditEntry, Project
from schedules.beat import remove_orphans
from schedules.models import Schedule, ScheduleRun
from schedules.services import resume_schedule
from tests.api.asking import Tenant, assert_problem, notification, row_counts

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


def schedule(**changes: Any) -> dict[str, Any]:
    """A body of PUT /v1/schedules/{key} that is taken as it is."""
    return {"cron": "0 9 * * 1", "timezone": "Europe/Berlin", "notification": notification(), **changes}


def ruled(**rule: Any) -> dict[str, Any]:
    return {"notification": notification(), **rule}


def entry(tenant: Tenant, key: str) -> PeriodicTask | None:
    """The schedule's entry in Beat's table."""
    row = Schedule.objects.get(project=tenant.project, key=key)
    return PeriodicTask.objects.filter(name__endswith=f"({row.id})").first()


def test_a_schedule_lives(http: httpx.Client) -> None:
    made = http.put("/v1/schedules/report", json=schedule())
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["key"], body["cron"], body["timezone"]) == ("report", "0 9 * * 1", "Europe/Berlin")
    assert (body["paused"], body["catch_up"], body["at"]) == (False, "one", None)
    assert datetime.fromisoformat(body["next_at"]) > datetime.now(UTC)
    again = http.put("/v1/schedules/report", json=schedule())
    assert (again.status_code, again.json()["next_at"]) == (200, body["next_at"])
    assert http.get("/v1/schedules/report").json()["notification"] == notification()
    assert [row["key"] for row in http.get("/v1/schedules").json()["data"]] == ["report"]
    assert http.delete("/v1/schedules/report").status_code == 204
    assert_problem(http.get("/v1/schedules/report"), 404)
    assert_problem(http.delete("/v1/schedules/report"), 404)


@pytest.mark.parametrize(
    "rule",
    [
        {"at": TOMORROW.isoformat()},
        {"every": "PT6H"},
        {"every": "P1D", "start": TOMORROW.isoformat()},
        {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", "timezone": "America/New_York"},
    ],
)
def test_every_kind_of_rule_says_when_it_comes(http: httpx.Client, rule: dict[str, str]) -> None:
    made = http.put("/v1/schedules/s", json=ruled(**rule))
    assert made.status_code == 201, made.text
    told = http.get("/v1/schedules/s/occurrences", params={"limit": 3}).json()
    times = [datetime.fromisoformat(each["occurrence"]) for each in told["upcoming"]]
    assert made.json()["next_at"] == told["upcoming"][0]["occurrence"]
    assert times == sorted(set(times))
    assert len(times) == (1 if "at" in rule else 3)
    if "at" in rule or "start" in rule:
        assert times[0] == TOMORROW
    assert told["past"] == []


def test_a_patch_changes_what_it_names(http: httpx.Client) -> None:
    first = http.put("/v1/schedules/s", json=schedule(catch_up="all")).json()
    paused = http.patch("/v1/schedules/s", json={"paused": True}).json()
    assert (paused["paused"], paused["next_at"], paused["catch_up"]) == (True, None, "all")
    assert http.get("/v1/schedules/s/occurrences").json()["upcoming"] == []
    assert http.patch("/v1/schedules/s", json={"paused": False}).json()["next_at"] == first["next_at"]
    said = http.patch("/v1/schedules/s", json={"notification": {"content": {"title": "Other"}}}).json()
    assert said["notification"]["content"]["title"] == "Other"
    assert said["notification"]["recipients"] == ["u1"]
    other = http.patch("/v1/schedules/s", json={"cron": None, "every": "PT6H"}).json()
    assert (other["cron"], other["every"]) == (None, "PT6H")
    assert_problem(http.patch("/v1/schedules/s", json={"every": None}), 422)
    assert_problem(http.patch("/v1/schedules/s", json=[]), 422)
    assert_problem(http.patch("/v1/schedules/nobody", json={"paused": True}), 404)


def test_what_was_put_before_keeps_its_place_even_when_it_is_over(http: httpx.Client) -> None:
    """Configuration is put again and again; a time that has passed meanwhile is no mistake then."""
    body = ruled(at=TOMORROW.isoformat())
    http.put("/v1/schedules/once", json=body)
    Schedule.objects.filter(key="once").update(at=TOMORROW - timedelta(days=2), next_at=None)
    again = http.put("/v1/schedules/once", json=ruled(at=(TOMORROW - timedelta(days=2)).isoformat()))
    assert (again.status_code, again.json()["next_at"]) == (200, None)
    changed = http.put("/v1/schedules/once", json=ruled(at=(TOMORROW - timedelta(days=3)).isoformat()))
    assert_problem(changed, 422, pointer="/at")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (ruled(), ""),
        (ruled(cron="0 9 * * *", every="PT6H"), "/every"),
        (ruled(cron="every day"), "/cron"),
        (ruled(cron="0 0 30 2 *"), "/cron"),
        (ruled(cron="0 9 * * *\x00"), "/cron"),
        (ruled(cron=9), "/cron"),
        (schedule(timezone="Mars/Olympus"), "/timezone"),
        (ruled(every="1h"), "/every"),
        (ruled(every="PT1S"), "/every"),
        (ruled(rrule="FREQ=SECONDLY"), "/rrule"),
        (ruled(rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), ""),
        (ruled(at="2020-01-01T00:00:00Z"), "/at"),
        (ruled(at="2027-01-01T09:00:00"), "/at"),
        (schedule(start="2031-01-01T00:00:00Z", end="2030-01-01T00:00:00Z"), "/end"),
        (schedule(end="2020-01-01T00:00:00Z"), "/end"),
        (ruled(at=TOMORROW.isoformat(), start=TOMORROW.isoformat()), "/start"),
        (schedule(catch_up="some"), "/catch_up"),
        (schedule(paused="yes"), "/paused"),
        (schedule(colour="red"), "/colour"),
        (schedule(notification=None), "/notification"),
        (schedule(notification=[]), "/notification"),
        (schedule(notification={}), "/notification/recipients"),
        (schedule(notification=notification(channels=["pigeon"])), "/notification/channels/0"),
        (
            schedule(notification=notification(recipients=["u1", {"topic": "nobody"}])),
            "/notification/recipients/1/topic",
        ),
        (schedule(notification=notification(send_at=TOMORROW.isoformat())), "/notification/send_at"),
        (schedule(notification=notification(expires_at=TOMORROW.isoformat())), "/notification/expires_at"),
        (schedule(notification={"recipients": ["u1"], "workflow": "nobody"}), "/notification/workflow"),
        ({"cron": "0 9 * * *"}, "/notification"),
        ([], ""),
    ],
)
def test_what_is_refused_names_its_place_and_changes_nothing(http: httpx.Client, body: Any, pointer: str) -> None:
    before = row_counts(), PeriodicTask.objects.count()
    assert_problem(http.put("/v1/schedules/s", json=body), 422, pointer=pointer)
    assert (row_counts(), PeriodicTask.objects.count()) == before


def test_keys_and_limits(http: httpx.Client) -> None:
    assert_problem(http.put("/v1/schedules/no good", json=schedule()), 422, pointer="/key")
    assert_problem(http.get("/v1/schedules/no good"), 404)
    http.put("/v1/schedules/s", json=schedule())
    for wrong in ("0", "101", "x", "-1", ""):
        assert_problem(http.get("/v1/schedules/s/occurrences", params={"limit": wrong}), 422, pointer="/limit")
    assert len(http.get("/v1/schedules/s/occurrences", params={"limit": 100}).json()["upcoming"]) == 100


def test_asking_for_a_run_is_remembered_and_repeated_safely(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/schedules/s", json=schedule(paused=True))
    key = {"Idempotency-Key": "run 1"}
    asked = http.post("/v1/schedules/s/run-now", headers=key)
    assert asked.status_code == 202, asked.text
    row = Schedule.objects.get(project=tenant.project)
    assert row.asked_at is not None and row.next_at is None
    assert http.post("/v1/schedules/s/run-now", headers=key).headers["Idempotent-Replayed"] == "true"
    assert http.post("/v1/schedules/s/run-now").status_code == 202
    assert Schedule.objects.get(project=tenant.project).asked_at == row.asked_at
    assert_problem(http.post("/v1/schedules/other/run-now"), 404)


def test_what_became_of_its_times(tenant: Tenant) -> None:
    tenant.http.put("/v1/schedules/s", json=schedule())
    row = Schedule.objects.get(project=tenant.project)
    for days, outcome in ((2, "missed"), (1, "fired")):
        ScheduleRun.objects.create(
            schedule=row,
            occurrence=TOMORROW - timedelta(days=days + 1),
            outcome=outcome,
            notification_id=row.id if outcome == "fired" else None,
        )
    past = tenant.http.get("/v1/schedules/s/occurrences").json()["past"]
    assert [run["outcome"] for run in past] == ["fired", "missed"]
    assert decode("ntf", past[0]["notification_id"]) == row.id
    assert (past[1]["notification_id"], past[1]["reason"]) == (None, "")


def test_beats_entry_keeps_in_step(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/schedules/s", json=ruled(cron="*/15 9-10 * jan MON-FRI", timezone="Asia/Kolkata"))
    task = entry(tenant, "s")
    assert task is not None and (task.task, task.enabled, task.one_off) == ("schedules.fire", True, False)
    crontab = task.crontab
    assert (crontab.minute, crontab.hour, crontab.day_of_month) == ("0,15,30,45", "9,10", "*")
    assert (crontab.month_of_year, crontab.day_of_week, str(crontab.timezone)) == ("1", "1,2,3,4,5", "Asia/Kolkata")
    http.patch("/v1/schedules/s", json={"paused": True})
    paused = entry(tenant, "s")
    assert paused is not None and not paused.enabled
    http.put("/v1/schedules/s", json=ruled(every="PT6H"))
    task = entry(tenant, "s")
    assert task is not None and task.enabled and task.crontab is None
    assert (task.interval.every, task.interval.period) == (6, "hours")
    assert not CrontabSchedule.objects.filter(id=crontab.id).exists()
    http.put("/v1/schedules/s", json=ruled(at=TOMORROW.isoformat()))
    task = entry(tenant, "s")
    assert task is not None and task.one_off and task.clocked.clocked_time == TOMORROW
    assert task.interval is None
    http.delete("/v1/schedules/s")
    assert not PeriodicTask.objects.filter(id=task.id).exists()
    assert not ClockedSchedule.objects.filter(id=task.clocked_id).exists()


@pytest.mark.parametrize("cron", ["0 9 L * *", "0 9 * * 1#2", "0 9 1 * 1", "0 9 * * 5L", "0 9 LW * *"])
def test_what_beat_cannot_say_rings_every_day(tenant: Tenant, cron: str) -> None:
    tenant.http.put("/v1/schedules/s", json=ruled(cron=cron))
    task = entry(tenant, "s")
    assert task is not None
    crontab = task.crontab
    assert (crontab.minute, crontab.hour, crontab.day_of_month, crontab.day_of_week) == ("0", "9", "*", "*")


def test_an_rrule_rings_at_its_times_of_day(tenant: Tenant) -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,17;BYMINUTE=30"
    tenant.http.put("/v1/schedules/s", json=ruled(rrule=rule, timezone="America/New_York"))
    task = entry(tenant, "s")
    assert task is not None
    assert (task.crontab.minute, task.crontab.hour, str(task.crontab.timezone)) == ("30", "9,17", "America/New_York")


def test_a_row_that_beat_shares_is_left_alone(tenant: Tenant) -> None:
    """Beat takes any row that says what its own entries need, so one of ours may have become its own too."""
    tenant.http.put("/v1/schedules/s", json=ruled(every="PT61S"))
    task = entry(tenant, "s")
    assert task is not None
    beats = PeriodicTask.objects.create(name=f"beat's own {task.id}", task="delivery.inspect", interval=task.interval)
    tenant.http.patch("/v1/schedules/s", json={"every": "PT62S"})
    assert IntervalSchedule.objects.get(periodictask=beats).every == 61
    changed = entry(tenant, "s")
    assert changed is not None
    assert changed.interval.every == 62
    PeriodicTask.objects.filter(id=changed.id).update(interval=beats.interval)
    tenant.http.delete("/v1/schedules/s")
    assert PeriodicTask.objects.filter(id=beats.id).exists()


def test_who_changed_it_is_in_the_audit_log(tenant: Tenant) -> None:
    tenant.http.put("/v1/schedules/s", json=schedule())
    tenant.http.patch("/v1/schedules/s", json={"paused": True})
    tenant.http.post("/v1/schedules/s/run-now")
    tenant.http.delete("/v1/schedules/s")
    told = AuditEntry.objects.filter(project_id=tenant.project.id, subject="schedules_schedule").order_by("id")
    assert [(entry.action, entry.changed) for entry in told][1:3] == [("update", ["paused"]), ("update", ["asked_at"])]
    assert [entry.action for entry in told] == ["insert", "update", "update", "delete"]
    assert len({entry.actor for entry in told}) == 1
    assert told[0].actor


def test_a_projects_end_is_its_schedules_end(tenant: Tenant) -> None:
    tenant.http.put("/v1/schedules/s", json=schedule())
    ScheduleRun.objects.create(
        schedule=Schedule.objects.get(project=tenant.project), occurrence=TOMORROW, outcome="fired"
    )
    task = entry(tenant, "s")
    assert task is not None
    remove_orphans()
    assert PeriodicTask.objects.filter(id=task.id).exists()
    Project.objects.filter(id=tenant.project.id).delete()
    assert not Schedule.objects.filter(project_id=tenant.project.id).exists()
    assert remove_orphans() == 1
    assert not PeriodicTask.objects.filter(id=task.id).exists()


def test_a_schedule_that_is_left_for_nobody_pauses_and_says_why(tenant: Tenant) -> None:
    http = tenant.http
    for name in ("u1", "u2"):
        http.put(f"/v1/recipients/{name}", json={})
    both = notification(recipients=["u1", {"id": "u2", "name": "Ada"}], actor="u1")
    http.put("/v1/schedules/s", json=schedule(notification=both))
    http.delete("/v1/recipients/u1")
    shown = http.get("/v1/schedules/s").json()
    assert (shown["paused"], shown["pause_reason"]) == (False, None)
    assert shown["notification"] == notification(recipients=[{"id": "u2", "name": "Ada"}])
    http.delete("/v1/recipients/u2")
    shown = http.get("/v1/schedules/s").json()
    assert (shown["paused"], shown["pause_reason"], shown["next_at"]) == (True, "recipient_erased", None)
    assert shown["notification"] == {"recipients": [], "channels": ["in_app"]}
    task = entry(tenant, "s")
    assert task is not None and not task.enabled
    assert_problem(http.patch("/v1/schedules/s", json={"paused": False}), 422, pointer="/notification/recipients")
    with pytest.raises(Conflict, match="erased"):
        resume_schedule(schedule_id=Schedule.objects.get(project=tenant.project, key="s").pk)
    resumed = http.patch("/v1/schedules/s", json={"paused": False, "notification": notification()}).json()
    assert (resumed["paused"], resumed["pause_reason"]) == (False, None)
    assert resumed["next_at"] is not None


def test_a_topic_is_somebody_left(http: httpx.Client) -> None:
    http.put("/v1/recipients/u1", json={})
    http.put("/v1/topics/t", json={})
    http.put("/v1/schedules/s", json=schedule(notification=notification(recipients=["u1", {"topic": "t"}])))
    http.delete("/v1/recipients/u1")
    shown = http.get("/v1/schedules/s").json()
    assert (shown["paused"], shown["notification"]["recipients"]) == (False, [{"topic": "t"}])
    assert shown["notification"]["content"] == {"title": "Hello"}
