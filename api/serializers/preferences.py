"""Preferences and a project's settings as they come in and go out. What is in them is checked by `notifications/preferences`."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import FreeObject, PublicId, Time
from notifications.preferences.shapes import DAYS, POLICIES

_SWITCH: Final = {"type": "boolean"}
_BY_CHANNEL: Final = {"type": "object", "additionalProperties": _SWITCH}
_SWITCHES: Final = {"type": "object", "additionalProperties": {"oneOf": [_SWITCH, _BY_CHANNEL]}}
_TIME: Final = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}
_INTERVAL: Final = {
    "type": "object",
    "required": ["from", "until"],
    "additionalProperties": False,
    "properties": {"from": _TIME, "until": _TIME},
}
_QUIET_HOURS: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "policy": {"type": "string", "enum": list(POLICIES), "default": "defer"},
        "weekly": {
            "type": "object",
            "additionalProperties": False,
            "properties": {day: {"type": "array", "maxItems": 24, "items": _INTERVAL} for day in DAYS},
        },
        "channels": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Which ones they mean; left out: all.",
        },
    },
}
_CADENCE: Final = {
    "oneOf": [
        {
            "type": "object",
            "required": ["cron"],
            "additionalProperties": False,
            "properties": {"cron": {"type": "string", "description": "Five fields, in the recipient's time zone."}},
        },
        {
            "type": "object",
            "required": ["at_once"],
            "additionalProperties": False,
            "properties": {"at_once": {"const": True}},
        },
    ]
}
_CAP: Final = {
    "type": "object",
    "required": ["limit", "per"],
    "additionalProperties": False,
    "properties": {
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
        "per": {"type": "string", "description": "ISO 8601 duration, 1 second to 31 days."},
    },
}
_CAPS: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "channels": {"type": "object", "additionalProperties": _CAP},
        "categories": {"type": "object", "additionalProperties": _CAP},
    },
}
EXAMPLE: Final = {
    "channels": {"sms": False},
    "categories": {"collab": {"email": False}},
    "workflows": {"comment": {"in_app": True}},
    "quiet_hours": {"policy": "defer", "weekly": {"monday": [{"from": "22:00", "until": "07:00"}]}},
    "digests": {"collab": {"cron": "0 9 * * *"}},
}


@extend_schema_field(_BY_CHANNEL)
class ChannelSwitches(FreeObject):
    """Channel -> on or off."""


@extend_schema_field(_SWITCHES)
class Switches(FreeObject):
    """Key -> on or off, for all channels or by channel."""


@extend_schema_field(_QUIET_HOURS)
class QuietHours(FreeObject):
    """When not to be disturbed."""


@extend_schema_field({"type": "object", "additionalProperties": _CADENCE})
class Digests(FreeObject):
    """Category -> how often its digests go out."""


@extend_schema_field(_CAPS)
class Caps(FreeObject):
    """How many deliveries one recipient gets in a time."""


class PreferencesIn(serializers.Serializer[Any]):
    """The most specific entry wins: workflow before category before channel, for this channel before for all; at the same
    specificity the recipient's own before the project's."""

    channels = ChannelSwitches(required=False, help_text="Channel -> on or off.")
    categories = Switches(required=False, help_text="Category -> on or off, for all channels or by channel.")
    workflows = Switches(required=False, help_text="Workflow -> on or off, for all channels or by channel.")
    quiet_hours = QuietHours(
        required=False,
        allow_null=True,
        help_text="By the recipient's own clock, per day; an interval whose `until` is not after its `from` ends on the next day."
        " What comes in them waits for their end (`defer`), joins a digest where there is one (`digest`), does not come"
        " (`drop`) or comes all the same (`break_through`). Null: none of one's own.",
    )
    digests = Digests(required=False, help_text="Category -> how often its digests go out.")


class PreferencesOut(PreferencesIn):
    """What was said, by the API, on the hosted page or by one click in a mail."""


class ProjectIn(serializers.Serializer[Any]):
    """A JSON Merge Patch (RFC 7396); null is the default again."""

    default_locale = serializers.CharField(required=False, allow_null=True, help_text="Where a recipient has none.")
    timezone = serializers.CharField(
        required=False, allow_null=True, help_text="IANA name, where a recipient has none."
    )
    brand = FreeObject(required=False, allow_null=True, help_text="`name`, `logo_url`, `color`, `footer`: all texts.")
    preferences = FreeObject(
        required=False,
        allow_null=True,
        help_text="What holds where a recipient says nothing: the same shape as a recipient's preferences.",
    )
    caps = Caps(
        required=False,
        allow_null=True,
        help_text="How many deliveries one recipient gets in a time, by channel and by category. What is over waits.",
    )


class ProjectOut(serializers.Serializer[Any]):
    """The project of the API key."""

    id = PublicId("prj", source="project_id")
    name = serializers.CharField(source="project.name")
    default_locale = serializers.CharField()
    timezone = serializers.CharField()
    brand = FreeObject()
    preferences = PreferencesOut()
    caps = Caps()
    updated_at = Time()
