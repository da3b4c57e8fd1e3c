"""`/v1/stats`: what the project sent, in numbers."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api.base import ApiRequest, ApiView, json_response
from api.openapi import operation
from api.queries import read_query
from api.serializers.stats import StatsOut
from api.serializing import shown
from delivery.statistics import count_sent
from notifications import texts
from notifications.clock import utc_now
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread

_USUAL: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=31)
_PARAMETERS: Final = [
    OpenApiParameter("since", datetime, description="Made at this time or later. Left out: a day before `until`."),
    OpenApiParameter(
        "until", datetime, description="Made before this time. Left out: now. At most 31 days after `since`."
    ),
]


class Stats(ApiView):
    """`/v1/stats`"""

    scopes = {"GET": "notifications:read"}

    @operation(
        tag="Statistics",
        name="get_stats",
        summary="Count what was sent",
        description="Counted now, from the rows themselves: what history has forgotten is not in it.",
        parameters=_PARAMETERS,
        answers={200: StatsOut},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        since, until = _read_times(read_query(request, ("since", "until")))

        def work() -> dict[str, Any]:
            notifications, deliveries = count_sent(project_id=request.caller.project_id, since=since, until=until)
            return shown(
                StatsOut,
                {"since": since, "until": until, "notifications": notifications, "deliveries": deliveries},
            )

        return json_response(await in_thread(work))


def _read_times(query: dict[str, str]) -> tuple[datetime, datetime]:
    """Raises `Invalid`."""
    times: dict[str, datetime] = {}
    for name, text in query.items():
        try:
            times[name] = texts.parse_time(text)
        except ValueError as error:
            raise Invalid([Fault(f"/{name}", str(error))]) from error
    until = times.get("until") or utc_now()
    try:
        since = times.get("since") or until - _USUAL
    except OverflowError:
        raise Invalid([Fault("/until", "Too long ago.")]) from None
    if not timedelta(0) < until - since <= _LONGEST:
        raise Invalid([Fault("/since", "Must lie before until, by at most 31 days.")])
    return since, until
