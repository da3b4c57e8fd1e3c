"""drf-spectacular's settings. Imported by Django's settings, so it imports nothing of ours."""

from typing import Any, Final

SPECTACULAR_SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Carillon",
    "DESCRIPTION": (
        "One call, every bell: notifications by email, webhook and live in-app message. "
        "Every error is an RFC 9457 problem; lists are cursor-paged; times are RFC 3339 in UTC."
    ),
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SCHEMA_PATH_PREFIX": "/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["api.openapi_document.complete"],
    "TAGS": [
        {"name": "Notifications", "description": "Say what happened and to whom."},
        {"name": "Deliveries", "description": "What became of it, channel by channel."},
        {"name": "Recipients", "description": "Whom to tell."},
        {"name": "Endpoints", "description": "Further addresses of a recipient, such as webhooks."},
        {"name": "Topics", "description": "Named groups of recipients."},
        {"name": "Templates", "description": "What is said, per channel and locale."},
        {"name": "Events", "description": "What became of things, told to your own webhooks."},
        {
            "name": "Inbox",
            "description": "A recipient's in-app messages, by recipient token; live over `/ws/inbox` too.",
        },
    ],
}
