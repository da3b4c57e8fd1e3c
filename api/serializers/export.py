"""One line of an export, for the OpenAPI document."""

from typing import Any, Final

from rest_framework import serializers

from api.fields import FreeObject

TYPES: Final = (
    "recipient", "endpoint", "subscription", "preferences", "suppression", "inbox", "message", "schedule", "notification",
    "delivery",
)  # fmt: skip


class ExportLineOut(serializers.Serializer[Any]):
    """One thing that is kept of a recipient."""

    type = serializers.ChoiceField(choices=TYPES)
    data = FreeObject()  # type: ignore[assignment]  # a field, not the property
