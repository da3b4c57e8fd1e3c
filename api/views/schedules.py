"""`/v1/schedules`: submissions by the clock."""

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.schedules import OccurrencesOut, ScheduleIn, ScheduleOut, ScheduleRunOut, given, upcoming_out
from api.serializing import shown, validated
from notifications.bell import bell
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.merge_patch import merge_patch
from schedules import selectors, services
from schedules.checking import check_notification
from schedules.models import Schedule
from schedules.periodic import FIRE_TASK

_SCOPES: Final = {
    "GET": "notifications:read",
    "PUT": "notifications:write",
    "POST": "notifications:write",
    "PATCH": "notifications:write",
    "DELETE": "notifications:write",
}
_EXAMPLE: Final = {
    "cron": "0 9 * * 1",
    "timezone": "Europe/Berlin",
    "catch_up": "one",
    "notification": {"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "Your week"}},
}
_CLOCKS: Final = (
    "cron and rrule go by the clock on the wall of `timezone`. A time that the clocks skip in spring comes at the first moment"
    " after the gap; one that comes twice in autumn counts once, the first time. A cron rule of every hour (`*`) goes on through both."
    " Each time is made once, however many workers and Beats there are; the notification's `metadata` tells `schedule` and `occurrence`."
)
_LIMIT: Final = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 25}, description="How many of each at most."
)


def out(schedule: Schedule) -> dict[str, Any]:
    return shown(ScheduleOut, schedule)


class ScheduleCollection(ApiView):
    """`/v1/schedules`"""

    scopes = _SCOPES

    @operation(
        tag="Schedules",
        name="list_schedules",
        summary="List schedules",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(ScheduleOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="schedules", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.schedules_of(project_id), page, out))


class ScheduleItem(ApiView):
    """`/v1/schedules/{key}`"""

    scopes = _SCOPES

    @operation(tag="Schedules", name="get_schedule", summary="Read a schedule", answers={200: ScheduleOut})
    async def get(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        return json_response(out(await _existing(request, schedule_key)))

    @operation(
        tag="Schedules",
        name="put_schedule",
        summary="Create or replace a schedule",
        description=f"{_CLOCKS} Put as it was, it keeps its place; with other times it begins anew.",
        request=ScheduleIn,
        example=_EXAMPLE,
        answers={200: ScheduleOut, 201: ScheduleOut},
    )
    async def put(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        key, project_id = paths.new_topic(schedule_key), request.caller.project_id
        plan = await _plan(request, self.read(request))
        schedule, created = await in_thread(services.put_schedule, project_id=project_id, key=key, plan=plan)
        return json_response(out(schedule), 201 if created else 200)

    @operation(
        tag="Schedules",
        name="patch_schedule",
        summary="Change a schedule",
        description=(
            'A JSON Merge Patch (RFC 7396): null removes, so `{"cron": null, "every": "PT6H"}` exchanges the rule. A schedule that is'
            " paused and resumed goes on with its next time."
        ),
        request=ScheduleIn,
        example={"paused": True},
        answers={200: ScheduleOut},
    )
    async def patch(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        schedule = await _existing(request, schedule_key)
        patch = self.read(request)
        plan = await _plan(request, merge_patch(given(schedule), patch))
        changed = await in_thread(services.change_schedule, project_id=schedule.project_id, key=schedule.key, plan=plan)
        return json_response(out(changed))

    @operation(
        tag="Schedules",
        name="delete_schedule",
        summary="Remove a schedule",
        description="Notifications that it made stay.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        await in_thread(
            services.delete_schedule,
            project_id=request.caller.project_id,
            key=paths.existing_topic(schedule_key),
        )
        return HttpResponse(status=204)


class ScheduleOccurrences(ApiView):
    """`/v1/schedules/{key}/occurrences`"""

    scopes = _SCOPES

    @operation(
        tag="Schedules",
        name="list_occurrences",
        summary="See when a schedule comes and came",
        description="What became of a time is kept for 90 days.",
        parameters=[_LIMIT],
        answers={200: OccurrencesOut},
    )
    async def get(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        limit = paging.read_limit(read_query(request, ("limit",)))
        key, project_id = paths.existing_topic(schedule_key), request.caller.project_id

        def work() -> dict[str, Any]:
            schedule = selectors.get_schedule(project_id=project_id, key=key)
            return {
                "upcoming": upcoming_out(selectors.upcoming(schedule, limit=limit)),
                "past": [shown(ScheduleRunOut, run) for run in selectors.runs_of(schedule, limit=limit)],
            }

        return json_response(await in_thread(work))


class ScheduleRunNow(ApiView):
    """`/v1/schedules/{key}/run-now`"""

    scopes = _SCOPES

    @operation(
        tag="Schedules",
        name="run_schedule",
        summary="Run a schedule now",
        description=(
            "Besides its own times, within seconds; also when it is paused or over. Asked again before that, it is one run."
            " The notification is then among its past occurrences."
        ),
        answers={202: ScheduleOut},
    )
    async def post(self, request: ApiRequest, schedule_key: str) -> HttpResponse:
        key, project_id = paths.existing_topic(schedule_key), request.caller.project_id

        def work() -> Answer:
            return json_answer(out(services.run_now(project_id=project_id, key=key)), 202)

        response = await answer_once(request, project_id, work)
        bell().ring(FIRE_TASK)
        return response


async def _existing(request: ApiRequest, schedule_key: str) -> Schedule:
    return await in_thread(
        selectors.get_schedule, project_id=request.caller.project_id, key=paths.existing_topic(schedule_key)
    )


async def _plan(request: ApiRequest, body: Any) -> services.Plan:
    plan: services.Plan = validated(ScheduleIn, body)["plan"]
    await check_notification(plan.notification, project_id=request.caller.project_id)
    return plan
