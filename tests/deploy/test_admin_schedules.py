"""Schedules in the admin: looked at, paused, resumed, run."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from notifications.ids import encode, new_uuid
from schedules.models import Schedule, ScheduleRun
from schedules.services import Plan, put_schedule
from schedules.timing import Timing
from tests.deploy.operator import World, staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]

LIST = "/admin/schedules/schedule/"
BODY = {"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "<b>Week</b>"}}


@pytest.fixture
def schedule() -> Schedule:
    timing = Timing(cron="30 2 * * *", timezone="Europe/Berlin")
    plan = Plan(timing=timing, paused=False, catch_up="one", notification=BODY)
    return put_schedule(project_id=World().project.id, key="weekly-report", plan=plan)[0]


def page(schedule: Schedule) -> str:
    return f"{LIST}{schedule.pk}/change/"


def press(client: Client, schedule: Schedule, button: str) -> int:
    url = reverse(f"admin:schedules_schedule_{button}", args=[schedule.pk])
    return client.post(url, {"_form_submitted": "1"}).status_code


def test_the_list_says_when_they_come(schedule: Schedule) -> None:
    html = superuser().get(LIST).content.decode()
    assert "weekly-report" in html
    assert "30 2 * * * (Europe/Berlin)" in html
    assert schedule.next_at is not None
    assert f"{schedule.next_at + timedelta(days=1):%d %b}" in html


def test_a_page_tells_next_and_last_times(schedule: Schedule) -> None:
    sent = new_uuid()
    now = timezone.now()
    ScheduleRun.objects.create(schedule=schedule, occurrence=now, outcome="fired", notification_id=sent)
    ScheduleRun.objects.create(
        schedule=schedule,
        occurrence=now - timedelta(days=1),
        outcome="refused",
        reason="/channels/0: <No> such channel.",
    )
    html = superuser().get(page(schedule)).content.decode()
    assert "On the wall in Europe/Berlin" in html
    assert html.count("CET") + html.count("CEST") == 10
    assert encode("ntf", sent) in html
    assert "&lt;No&gt; such channel" in html
    assert "<b>Week</b>" not in html
    runs = superuser().get("/admin/schedules/schedulerun/", {"q": "weekly-report"}).content.decode()
    assert runs.count("weekly-report</a>") == 2


def test_buttons(schedule: Schedule) -> None:
    root = superuser()
    html = root.get(page(schedule)).content.decode()
    assert "/pause_this/" in html and "/run_this/" in html
    assert "/resume_this/" not in html
    assert press(root, schedule, "pause_this") in (200, 302)
    schedule.refresh_from_db()
    assert (schedule.paused, schedule.next_at) == (True, None)
    assert not PeriodicTask.objects.get(name__contains=str(schedule.pk)).enabled
    assert "Paused. Resumed" in root.get(page(schedule)).content.decode()
    press(root, schedule, "run_this")
    press(root, schedule, "resume_this")
    schedule.refresh_from_db()
    assert not schedule.paused
    assert schedule.next_at is not None and schedule.asked_at is not None
    said = [entry.change_message for entry in LogEntry.objects.order_by("id")]
    assert said == ["Paused.", "Run asked for.", "Resumed."]


def test_actions_of_the_list(schedule: Schedule) -> None:
    root = superuser()
    for action in ("pause", "resume", "run"):
        answer = root.post(LIST, {"action": action, "_selected_action": [str(schedule.pk)]}, follow=True)
        assert "1 " in " ".join(str(message) for message in answer.context["messages"])
    schedule.refresh_from_db()
    assert schedule.asked_at is not None and not schedule.paused


def test_a_schedule_for_nobody_is_not_resumed(schedule: Schedule) -> None:
    root = superuser()
    reason, nobody = Schedule.PauseReason.RECIPIENT_ERASED, {"recipients": []}
    Schedule.objects.update(paused=True, next_at=None, pause_reason=reason, notification=nobody)
    assert "paused: recipient erased" in root.get(page(schedule)).content.decode()
    answer = root.post(LIST, {"action": "resume", "_selected_action": [str(schedule.pk)]}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said[0].startswith("1 left paused, for their recipients were erased.") and said[1].startswith("0 resumed")
    schedule.refresh_from_db()
    assert schedule.paused


def test_who_may_only_look_cannot_operate(schedule: Schedule) -> None:
    looker = staff("schedules.view_schedule")
    assert looker.get(page(schedule)).status_code == 200
    assert press(looker, schedule, "pause_this") in (403, 302)
    looker.post(LIST, {"action": "pause", "_selected_action": [str(schedule.pk)]})
    schedule.refresh_from_db()
    assert not schedule.paused
