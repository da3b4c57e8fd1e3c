"""Serializer fields that take JSON's types literally: no numbers as text, no "yes" as true, no trimming."""

from collections.abc import Callable
from typing import Any, Final

from rest_framework import serializers

from notifications import ids, texts

_NOT_TEXT: Final = "Must be a string."


class Text(serializers.CharField):
    """A string, kept as it was given; `check` (one of `notifications.texts`) normalises or refuses."""

    def __init__(self, *, check: Callable[[str], str] | None = None, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        self._check = check

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_NOT_TEXT)
        if self.max_length is not None and len(data) > self.max_length:
            raise serializers.ValidationError(f"At most {self.max_length} characters.")
        try:
            value = texts.check_storable(data)
            return self._check(value) if self._check is not None else value
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("Must be a whole number.")
        return data


class Flag(serializers.BooleanField):
    """JSON's true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("Must be true or false.")
        return data


class FreeObject(serializers.DictField):
    """A JSON object with whatever the caller likes; the decoder has checked what is in it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Must be an object.")
        return data


class Time(serializers.DateTimeField):
    """RFC 3339 with an offset, as UTC."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise serializers.ValidationError(_NOT_TEXT)
        try:
            return texts.parse_time(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Any) -> str:
        return texts.format_time(value)


class GivenId(Text):
    """A row's prefixed id in a body, as its UUID."""

    def __init__(self, prefix: ids.Prefix, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def to_internal_value(self, data: Any) -> Any:
        found = ids.decode(self.prefix, super().to_internal_value(data))
        if found is None:
            raise serializers.ValidationError(f"Must be an id that begins with {self.prefix}_.")
        return found


class PublicId(serializers.CharField):
    """A row's prefixed id, from its UUID."""

    def __init__(self, prefix: ids.Prefix, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.prefix = prefix

    def to_representation(self, value: Any) -> str:
        return ids.encode(self.prefix, value)
