"""The OpenAPI 3.1 document: what drf-spectacular reads off the views, completed by what holds for every operation."""

import functools
import hashlib
from typing import Any, Final

import msgspec
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from api.openapi import IDEMPOTENCY_KEY
from notifications.conf import conf
from notifications.intake.attachments import MOST, AttachmentIn
from notifications.intake.submission import ContentIn, NotificationIn, RecipientIn, TopicIn
from notifications.workflows import shapes

_PROBLEMS: Final = {
    "400": "The request cannot be read.",
    "401": "No valid API key or recipient token.",
    "403": "The key's scopes do not allow this.",
    "404": "No such resource in this project.",
    "406": "Answers are application/json.",
    "409": "The state does not allow this, or a request with the same Idempotency-Key is still running.",
    "413": "The body is larger than 512 KiB.",
    "415": "Bodies are application/json.",
    "422": "Well-formed, but not acceptable; `errors` says where.",
    "429": "Too many requests with this key or token.",
    "503": "PostgreSQL does not answer; nothing was changed.",
}
_ALWAYS: Final = ("400", "401", "403", "406", "413", "422", "429", "503")
_CONFLICT: Final = ("409",)
_WITH_BODY: Final = ("415",)
_WITH_ID: Final = ("404",)
_INBOX: Final = "/v1/inbox/"
_CALLBACK: Final = "/v1/callbacks/{"
_MAY_CONFLICT: Final = frozenset({"put_event_endpoint", "revoke_api_key"})  # besides every POST
_NOT_INBOX: Final = frozenset({"403", "409"})  # a recipient token has no scopes, and a change repeated is no conflict


@functools.cache
def document() -> tuple[bytes, str]:
    """The document as JSON and its entity tag; built once per process."""
    schema = SchemaGenerator(urlconf="api.urls").get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    body = msgspec.json.encode(schema)
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: the hot request's shape, errors, headers, version."""
    result["info"]["version"] = settings.CARILLON_VERSION
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(_submission_schemas(), **_workflow_schemas(), Problem=_PROBLEM)
    for name, schema in components["schemas"].items():
        if name.endswith("In"):
            schema["additionalProperties"] = False
    components["securitySchemes"] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "callbackSecret": {
            "type": "http",
            "scheme": "bearer",
            "description": "A callback source's secret; or no `Authorization`, and a Standard Webhooks signature instead.",
        },
        "recipientToken": {"type": "http", "scheme": "bearer", "description": "A token from `create_token`."},
    }
    components["responses"] = {f"Problem{status}": _problem(detail) for status, detail in _PROBLEMS.items()}
    for path, item in result["paths"].items():
        for method, described in item.items():
            _complete_operation(path, method, described)
    return result


def _complete_operation(path: str, method: str, described: dict[str, Any]) -> None:
    inbox = path.startswith(_INBOX)
    takes_key = method == "post" and not inbox and not path.startswith(_CALLBACK)
    if takes_key:
        described.setdefault("parameters", []).append(_key_parameter())
    if described.get("operationId") == "unsubscribe":  # drf-spectacular gives DELETE no body
        described["requestBody"] = _UNSUBSCRIBE_BODY
    statuses = [
        *_ALWAYS,
        *(_CONFLICT if takes_key or described.get("operationId") in _MAY_CONFLICT else ()),
        *(_WITH_BODY if "requestBody" in described else ()),
        *(_WITH_ID if "{" in path else ()),
    ]
    for status in (status for status in statuses if not (inbox and status in _NOT_INBOX)):
        described["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    described["responses"] = dict(sorted(described["responses"].items()))


def _key_parameter() -> dict[str, Any]:
    return {
        "in": "header",
        "name": IDEMPOTENCY_KEY.name,
        "description": IDEMPOTENCY_KEY.description,
        "schema": IDEMPOTENCY_KEY.type,
        "example": "order-17-shipped",
    }


def _submission_schemas() -> dict[str, Any]:
    """From the msgspec structs that decode the request, so that the two cannot drift."""
    _, schemas = msgspec.json.schema_components(
        [NotificationIn, ContentIn, AttachmentIn, RecipientIn, TopicIn], ref_template="#/components/schemas/{name}"
    )
    schemas["ContentIn"]["properties"]["attachments"]["maxItems"] = MOST
    properties = schemas["NotificationIn"]["properties"]
    # What the structs leave open is checked by `parse_submission`.
    properties["recipients"] |= {
        "maxItems": conf().max_recipients,
        "items": {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": 255, "description": "A recipient's id."},
                {"$ref": "#/components/schemas/RecipientIn"},
                {"$ref": "#/components/schemas/TopicIn"},
            ]
        },
    }
    for variant in properties["channels"]["anyOf"]:
        if variant.get("type") == "array":
            variant["items"] = {"type": "string", "enum": sorted(conf().channels)}
    for name in ("send_at", "expires_at"):
        for variant in properties[name]["anyOf"]:
            if variant.get("type") == "string":
                variant["format"] = "date-time"
    return dict(schemas)


def _workflow_schemas() -> dict[str, Any]:
    """From the msgspec structs that decode a definition; what a step may be is told by its `type`."""
    steps: list[type[shapes.StepIn]] = [shapes.ChannelStepIn, *shapes.OTHER_STEPS.values()]
    _, schemas = msgspec.json.schema_components(
        [shapes.SavedWorkflowIn, *steps], ref_template="#/components/schemas/{name}"
    )
    schemas["SavedWorkflowIn"]["properties"]["steps"]["items"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{step.__name__}"} for step in steps]
    }
    for name, step in shapes.OTHER_STEPS.items():
        schemas[step.__name__]["properties"]["type"] = {"type": "string", "enum": [name]}
    schemas["ChannelStepIn"]["properties"]["type"] = {"type": "string", "enum": sorted(conf().channels)}
    return dict(schemas)


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "For machines, such as `invalid`."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON Pointer into the body, or `/` and the name of a parameter.",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_UNSUBSCRIBE_BODY: Final = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/MembersIn"},
            "examples": {"Example": {"value": {"recipients": ["u2"]}}},
        }
    },
}
