"""API keys as they come in and go out."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time, WholeNumber
from api.serializing import In
from notifications import api_keys, texts
from notifications.clock import utc_now
from notifications.models import ApiKey


def _future(value: datetime | None) -> datetime | None:
    if value is not None and value <= utc_now():
        raise serializers.ValidationError("Must be in the future.")
    return value


class ApiKeyIn(In):
    """A key to be made."""

    name = Text(check=texts.check_line, max_length=200, help_text="What it is for.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=api_keys.SCOPES),
        min_length=1,
        max_length=20,
        help_text="`admin` contains the others.",
    )
    expires_at = Time(required=False, allow_null=True, help_text="Null or left out: never. In the future.")

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        return _future(value)


class KeyRotationIn(In):
    """How a key is to be replaced."""

    overlap_seconds = WholeNumber(
        required=False, min_value=0, max_value=30 * 86_400, help_text="How long the old key goes on working; 86400."
    )
    expires_at = Time(required=False, allow_null=True, help_text="Of the new key. Null or left out: never.")

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        return _future(value)


class ApiKeyOut(serializers.Serializer[Any]):
    """A key without the key."""

    id = PublicId("key")
    name = serializers.CharField()
    prefix = serializers.SerializerMethodField(help_text="How the key begins.")
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = Time()
    expires_at = Time(allow_null=True)
    revoked_at = Time(allow_null=True)

    def get_prefix(self, key: ApiKey) -> str:
        return f"crl_{key.public_id}_"


class FreshApiKeyOut(ApiKeyOut):
    """A key that was just made."""

    key = serializers.CharField(help_text="The key itself: shown here and never again.")
