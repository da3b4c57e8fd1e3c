"""Everything under `/v1/`, served by the lean handler: the API, and the description of the socket, which the API must not know."""

from typing import Final

import msgspec
from django.http import HttpResponse
from django.urls import path

from api.base import ApiRequest, PublicView
from api.urls import urlpatterns as api_patterns
from consumers.asyncapi import build_document
from deploy.version import version

_DOCUMENT: Final = msgspec.json.encode(build_document(version=version()))


class AsyncApiDocument(PublicView):
    """`/v1/asyncapi.json`: the inbox socket, as AsyncAPI 3."""

    async def get(self, request: ApiRequest) -> HttpResponse:
        """The document; it changes with the version only."""
        return HttpResponse(_DOCUMENT, content_type="application/json")


urlpatterns = [*api_patterns, path("v1/asyncapi.json", AsyncApiDocument.as_view())]
