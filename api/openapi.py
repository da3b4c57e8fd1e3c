"""How a view's method is described for the OpenAPI document: one decorator, one schema class, shared parameters."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from api import paging, paths
from delivery.states import State

MethodT = TypeVar("MethodT", bound=Callable[..., Any])

LIST_PARAMETERS: Final = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": paging.MAX_LIMIT, "default": paging.DEFAULT_LIMIT},
        description="How many at most.",
    ),
    OpenApiParameter("after", str, description="The `next` of an earlier page. Not together with `before`."),
    OpenApiParameter("before", str, description="The `previous` of an earlier page. Not together with `after`."),
]
DELIVERY_FILTERS: Final = [
    OpenApiParameter("state", str, enum=[state.value for state in State]),
    OpenApiParameter("channel", str, description="Such as `email`."),
    OpenApiParameter("recipient", str, description="The recipient's id."),
    OpenApiParameter("endpoint", str, description="The endpoint's id."),
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Created at or after this time."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Created before this time."),
]
HEADER_VALUE: Final = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    HEADER_VALUE,
    OpenApiParameter.HEADER,
    description="The same key and request within 24 h get the first answer again, and nothing is done twice.",
)


class ApiSchema(AutoSchema):
    """Path parameters come from one table; JSON is the only media type; the security scheme is the view's."""

    def _resolve_path_parameters(self, variables: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "in": "path",
                "name": name,
                "required": True,
                "description": paths.DESCRIPTIONS[name][0],
                "schema": {"type": "string", "minLength": 1, **paths.SCHEMAS.get(name, {})},
                "example": paths.DESCRIPTIONS[name][1],
            }
            for name in variables
        ]

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{getattr(self.view, "security", "apiKey"): []}]

    def map_parsers(self) -> list[str]:
        return ["application/json"]

    def map_renderers(self, attribute: str) -> list[str]:
        return ["application/json"] if attribute == "media_type" else []


def operation(
    *,
    tag: str,
    name: str,
    summary: str,
    answers: Mapping[Any, Any],
    description: str = "",
    request: Any = None,
    example: Any = None,
    answer_example: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[[MethodT], MethodT]:
    """Describe a view's method. Errors, the key header of POST and bodies of DELETE are added by `openapi_document`."""
    examples = []
    if example is not None:
        examples.append(OpenApiExample("Example", value=example, request_only=True))
    if answer_example is not None:
        examples.append(OpenApiExample("Answer", value=answer_example, response_only=True, status_codes=["200"]))
    decorate: Callable[[MethodT], MethodT] = extend_schema(
        operation_id=name,
        tags=[tag],
        summary=summary,
        description=description,
        request=request,
        responses=dict(answers),
        parameters=list(parameters),
        examples=examples,
    )
    return decorate


@functools.cache
def page_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The shape of one page of these."""
    cursor = serializers.CharField(allow_null=True, help_text="Opaque; null when there is nothing there.")
    page: serializers.Serializer[Any] = inline_serializer(
        f"{item.__name__.removesuffix('Out')}Page",
        fields={"data": item(many=True), "next": cursor, "previous": cursor},
    )
    return page
