"""From decoded JSON to checked values: the base of every `...In`, and the one place that turns DRF's nested errors
into faults with JSON Pointers."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework import serializers

from notifications.errors import Fault, Invalid
from notifications.texts import escape_pointer

_ROOT = "non_field_errors"


class In(serializers.Serializer[Any]):
    """A request body. Fields it does not know are refused, for they are misspelt or misunderstood."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({_ROOT: ["Must be an object."]})
        unknown = [name for name in data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError({name: ["Unknown field."] for name in unknown})
        return super().to_internal_value(data)


def validated(into: type[In], data: Any, *, partial: bool = False) -> dict[str, Any]:
    """The checked values of a body. Raises `Invalid`."""
    serializer = into(data=data, partial=partial)
    if not serializer.is_valid():
        raise Invalid(list(_faults(serializer.errors, "")))
    values: dict[str, Any] = serializer.validated_data
    return values


def shown(out: type[serializers.Serializer[Any]], row: Any) -> dict[str, Any]:
    """`row` in the shape of `out`. The serializer is made once: DRF copies every field for every instance."""
    return dict(_instance(out).to_representation(row))


@functools.cache
def _instance(out: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    return out()


def _faults(errors: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _faults(inner, pointer if name == _ROOT else f"{pointer}/{escape_pointer(str(name))}")
    elif isinstance(errors, list) and any(isinstance(item, Mapping | list) for item in errors):
        for index, inner in enumerate(errors):
            yield from _faults(inner, f"{pointer}/{index}")
    elif isinstance(errors, list):
        for item in errors:
            yield Fault(pointer, str(item))
    else:
        yield Fault(pointer, str(errors))
