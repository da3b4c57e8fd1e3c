"""`/v1/api-keys`: the keys of the project; for keys with the scope `admin`."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.api_keys import ApiKeyIn, ApiKeyOut, FreshApiKeyOut, KeyRotationIn
from api.serializing import shown, validated
from notifications import ids, selectors
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import ApiKey
from notifications.services import api_keys as services

_OVERLAP_SECONDS: Final = 86_400


def out(key: ApiKey) -> dict[str, Any]:
    return shown(ApiKeyOut, key)


def _fresh(made: tuple[ApiKey, str]) -> Answer:
    row, key = made
    row.refresh_from_db(fields=["created_at"])
    location = {"Location": f"/v1/api-keys/{ids.encode('key', row.id)}"}
    return json_answer({**out(row), "key": key}, 201, location)


class ApiKeyCollection(ApiView):
    """`/v1/api-keys`"""

    @operation(
        tag="API keys",
        name="list_api_keys",
        summary="List API keys",
        description="Newest first, ended ones included.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(ApiKeyOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="api-keys", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.api_keys_of(project_id), page, out))

    @operation(
        tag="API keys",
        name="create_api_key",
        summary="Make an API key",
        request=ApiKeyIn,
        example={"name": "web shop", "scopes": ["notifications:write"]},
        answers={201: FreshApiKeyOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        values = validated(ApiKeyIn, self.read(request))
        return await answer_once(
            request, project_id, lambda: _fresh(services.make_key(project_id=project_id, **values))
        )


class ApiKeyItem(ApiView):
    """`/v1/api-keys/{id}`"""

    @operation(tag="API keys", name="get_api_key", summary="Read an API key", answers={200: ApiKeyOut})
    async def get(self, request: ApiRequest, api_key_id: str) -> HttpResponse:
        key = await in_thread(
            selectors.get_api_key, project_id=request.caller.project_id, key_id=paths.row("key", api_key_id)
        )
        return json_response(out(key))

    @operation(
        tag="API keys",
        name="revoke_api_key",
        summary="Revoke an API key",
        description="It stops working within seconds and stays in the list. The key in use cannot revoke itself (409).",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, api_key_id: str) -> HttpResponse:
        await in_thread(
            services.revoke_key,
            project_id=request.caller.project_id,
            key_id=paths.row("key", api_key_id),
            by=request.caller.key_id,
        )
        return HttpResponse(status=204)


class ApiKeyRotation(ApiView):
    """`/v1/api-keys/{id}/rotate`"""

    @operation(
        tag="API keys",
        name="rotate_api_key",
        summary="Rotate an API key",
        description=(
            "Makes a key with the same name and scopes. The old one goes on working for `overlap_seconds` (a day, unless "
            "you say otherwise), so that whoever uses it has time to change over."
        ),
        request=KeyRotationIn,
        example={"overlap_seconds": 3600},
        answers={201: FreshApiKeyOut},
    )
    async def post(self, request: ApiRequest, api_key_id: str) -> HttpResponse:
        project_id, key_id = request.caller.project_id, paths.row("key", api_key_id)
        values = validated(KeyRotationIn, self.read_optional(request))
        overlap = timedelta(seconds=values.get("overlap_seconds", _OVERLAP_SECONDS))

        def work() -> Answer:
            return _fresh(
                services.rotate_key(
                    project_id=project_id, key_id=key_id, overlap=overlap, expires_at=values.get("expires_at")
                )
            )

        return await answer_once(request, project_id, work)
