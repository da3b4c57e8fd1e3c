"""Recipient tokens, which open one inbox for a short time."""

from typing import Any

from rest_framework import serializers

from api.fields import Time, WholeNumber
from api.serializing import In


class TokenIn(In):
    """How long the token is to live; the body may be left out."""

    lifetime_seconds = WholeNumber(min_value=60, max_value=86_400, required=False, help_text="3600 when left out.")


class TokenOut(serializers.Serializer[Any]):
    """Give it to the recipient's browser or app; it opens the inbox and nothing else."""

    token = serializers.CharField()
    expires_at = Time()


class RevocationOut(serializers.Serializer[Any]):
    """Since when a token must have been issued to open the inbox."""

    tokens_valid_from = Time()
