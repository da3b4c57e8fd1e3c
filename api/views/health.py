"""`/healthz`, `/readyz`, `/metrics`: for the machines that watch. They need no key and stay off the public listener."""

from django.http import HttpResponse

from api.base import ApiRequest, PublicView, json_response
from api.exposition import exposition
from api.readiness import check_readiness


class Health(PublicView):
    """`/healthz`: the process answers. No I/O, so a database that is away does not get the process restarted."""

    async def get(self, request: ApiRequest) -> HttpResponse:
        """Alive."""
        return json_response({"status": "alive"})


class Ready(PublicView):
    """`/readyz`: 200 when requests can be served, 503 when not; Redis away is slower, not unready."""

    async def get(self, request: ApiRequest) -> HttpResponse:
        """Ask PostgreSQL and Redis."""
        readiness = await check_readiness()
        return json_response(readiness.document(), 200 if readiness.postgres else 503)


class Metrics(PublicView):
    """`/metrics`: Prometheus' text format."""

    media_types = ("text/plain", "application/openmetrics-text")

    async def get(self, request: ApiRequest) -> HttpResponse:
        """This process's counters and the queue as PostgreSQL has it."""
        body, content_type = await exposition()
        return HttpResponse(body, content_type=content_type)
