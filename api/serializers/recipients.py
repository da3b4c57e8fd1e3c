"""Recipients as they come in and go out."""

from typing import Any

from rest_framework import serializers

from api.fields import FreeObject, Text, Time
from api.serializing import In
from notifications import texts


class RecipientFieldsIn(In):
    """What is known about a person or system. PUT empties what is left out; PATCH leaves it."""

    email = Text(check=texts.check_email, max_length=320, required=False, allow_null=True)
    phone = Text(
        check=texts.check_phone,
        max_length=16,
        required=False,
        allow_null=True,
        help_text="E.164, such as +4915112345678.",
    )
    name = Text(check=texts.check_line, max_length=255, required=False, allow_null=True)
    locale = Text(
        check=texts.check_locale, max_length=35, required=False, allow_null=True, help_text="BCP 47, such as de-AT."
    )
    timezone = Text(
        check=texts.check_timezone,
        max_length=64,
        required=False,
        allow_null=True,
        help_text="IANA, such as Europe/Berlin.",
    )
    data = FreeObject(  # type: ignore[assignment]  # a field, not the property
        required=False, help_text="Free fields for templates. PATCH merges them as RFC 7396 says: null removes."
    )


class RecipientOut(serializers.Serializer[Any]):
    """A person or system to be told."""

    id = serializers.CharField(source="external_id", help_text="The caller's own id.")
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    locale = serializers.CharField(allow_null=True)
    timezone = serializers.CharField(allow_null=True)
    data = FreeObject()  # type: ignore[assignment]  # a field, not the property
    created_at = Time()
    updated_at = Time()
