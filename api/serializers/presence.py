"""Whether a recipient is connected."""

from typing import Any

from rest_framework import serializers

from api.fields import Time


class PresenceOut(serializers.Serializer[Any]):
    """The first three are null while Redis does not answer: then nobody knows, and `last_seen_at` may be minutes behind."""

    online = serializers.BooleanField(allow_null=True, help_text="Whether an inbox socket or event stream is open.")
    devices = serializers.IntegerField(allow_null=True, help_text="How many of them are open.")
    connected_since = Time(allow_null=True, help_text="Since when there was always one; null when there is none.")
    last_seen_at = Time(allow_null=True, help_text="Now while online; null when there never was one.")
