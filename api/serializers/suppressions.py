"""Suppressions as they come in and go out."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time
from api.serializing import In
from notifications import ids, texts
from notifications.clock import utc_now
from notifications.models import Suppression


class SuppressionIn(In):
    """An address to be put on the list."""

    address = Text(check=texts.check_email, max_length=320, help_text="An email address.")
    reason = serializers.ChoiceField(choices=Suppression.Reason.choices, required=False, help_text="Without: manual.")
    detail = Text(check=texts.check_line, max_length=500, required=False, allow_blank=True)
    expires_at = Time(required=False, allow_null=True, help_text="Null or left out: never. In the future.")

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= utc_now():
            raise serializers.ValidationError("Must be in the future.")
        return value


class SuppressionOut(serializers.Serializer[Any]):
    """One reason not to write to one address."""

    id = PublicId("sup")
    channel = serializers.CharField()
    address = serializers.CharField(
        allow_null=True, help_text="In its normal form; null once its person was erased, still suppressed by its hash."
    )
    reason = serializers.ChoiceField(choices=Suppression.Reason.choices)
    detail = serializers.CharField(allow_blank=True)
    delivery_id = serializers.SerializerMethodField(help_text="The delivery that came back.")
    created_at = Time()
    expires_at = Time(allow_null=True)

    def get_delivery_id(self, suppression: Suppression) -> str | None:
        source = suppression.source_delivery_id
        return ids.encode("dlv", source) if source else None
