"""`/v1/openapi.json` and the pages to try it at `/v1/docs`. Everything comes from this server; no key is needed."""

from pathlib import Path
from typing import Final

import drf_spectacular_sidecar
from django.http import HttpResponse

from api.base import ApiRequest, PublicView
from api.etags import has_current
from api.openapi_document import document
from api.problems import HttpProblem

_UI: Final = Path(drf_spectacular_sidecar.__file__).parent / "static/drf_spectacular_sidecar/swagger-ui-dist"
_ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets styles on elements; scripts come from files only.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Carillon API</title>
<link rel="icon" href="/v1/docs/favicon-32x32.png">
<link rel="stylesheet" href="/v1/docs/swagger-ui.css">
</head>
<body style="margin:0">
<noscript>This page needs JavaScript. The document itself is at /v1/openapi.json.</noscript>
<div id="docs"></div>
<script src="/v1/docs/swagger-ui-bundle.js"></script>
<script src="/v1/docs/start.js"></script>
</body>
</html>
"""
_START: Final = b"""SwaggerUIBundle({
  url: "/v1/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true, validatorUrl: null,
  tryItOutEnabled: true, displayRequestDuration: true, defaultModelsExpandDepth: 0,
});
"""


class OpenApiDocument(PublicView):
    """`/v1/openapi.json`"""

    async def get(self, request: ApiRequest) -> HttpResponse:
        """The document, or 304 for who has it already."""
        body, tag = document()
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        if has_current(request, tag):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(body, content_type="application/json", headers=headers)


class DocsPage(PublicView):
    """`/v1/docs`"""

    media_types = ("text/html",)

    async def get(self, request: ApiRequest) -> HttpResponse:
        """The page to read and try the API."""
        return HttpResponse(
            _PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY}
        )


class DocsAsset(PublicView):
    """`/v1/docs/{name}`"""

    media_types = ("text/css", "text/javascript", "image/png")

    async def get(self, request: ApiRequest, name: str) -> HttpResponse:
        """One of the page's files."""
        headers = {"Cache-Control": "public, max-age=3600"}
        if name == "start.js":
            return HttpResponse(_START, content_type="text/javascript", headers=headers)
        if name not in _ASSETS:
            raise HttpProblem(404, "not_found", "There is nothing at this address.")
        # Read on demand: a page for developers is not worth its megabytes in every process.
        return HttpResponse((_UI / name).read_bytes(), content_type=_ASSETS[name], headers=headers)
