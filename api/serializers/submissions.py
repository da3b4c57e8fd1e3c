"""The answers to a submission, for the OpenAPI document; the hot path writes them without a serializer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.walks import DigestOut, RunOut

_SUBMISSION = {"$ref": "#/components/schemas/NotificationIn"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


class AcceptedOut(serializers.Serializer[Any]):
    """It is in PostgreSQL and will be delivered."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=["accepted"])
    created_at = serializers.DateTimeField()


class WayOut(serializers.Serializer[Any]):
    """One channel for one recipient."""

    channel = serializers.CharField()
    step = serializers.CharField(allow_null=True, help_text="Of a workflow; null without one.")
    delivers = serializers.BooleanField(help_text="Whether it goes, now or at `not_before`.")
    address = serializers.CharField(allow_null=True, help_text="The email address or URL.")
    endpoint = serializers.CharField(allow_null=True, help_text="The endpoint's id.")
    reason = serializers.CharField(
        allow_null=True,
        help_text="Why not, or not yet: `no_email`, `no_endpoint`, `unsubscribed`, `quiet_hours`, `listed_before` (an earlier"
        " entry reaches it) and so on.",
    )
    preference = serializers.CharField(
        allow_null=True,
        help_text="Which entry of the preferences decided: `workflow`, `category`, `channel`, the same with `project_` before it"
        " for the project's own, `critical`, or `default` where there is none.",
    )
    overruled = serializers.CharField(
        allow_null=True, help_text="Where that is `critical`: the entry that would have forbidden it."
    )
    not_before = serializers.DateTimeField(allow_null=True, help_text="When it goes, where that is not now.")


class PlannedRecipientOut(serializers.Serializer[Any]):
    """Whom, and by which ways."""

    recipient = serializers.CharField()
    known = serializers.BooleanField(help_text="False: would be created.")
    ways = WayOut(many=True)


@extend_schema_field({"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TopicIn"}]})
class EntryField(serializers.JSONField):
    """An entry of `recipients`, as it was given."""


class PlannedEntryOut(serializers.Serializer[Any]):
    """One entry of `recipients`."""

    entry = EntryField()
    count = serializers.IntegerField(help_text="How many recipients.")
    recipients = PlannedRecipientOut(many=True, help_text="Of a topic the first 100.")


class DryRunOut(serializers.Serializer[Any]):
    """What would happen."""

    dry_run = serializers.BooleanField()
    entries = PlannedEntryOut(many=True)
    runs = RunOut(many=True, help_text="Of a workflow: the walks that wait or have decided something.")
    digests = DigestOut(many=True, help_text="Of a workflow: the digests it would join.")


@extend_schema_field(_SUBMISSION)
class SubmissionField(serializers.JSONField):
    """A body of POST /v1/notifications."""


@extend_schema_field({"anyOf": [{"$ref": "#/components/schemas/AcceptedOut"}, _PROBLEM]})
class ResultField(serializers.JSONField):
    """An id or a problem."""


class BulkIn(serializers.Serializer[Any]):
    """Many at once."""

    notifications = serializers.ListField(child=SubmissionField(), min_length=1, max_length=1000)


class BulkOut(serializers.Serializer[Any]):
    """One result per entry, in order."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"data": serializers.ListField(child=ResultField())}
