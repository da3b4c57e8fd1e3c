"""Schemas of data: what they refuse, and what they are refused for."""

from typing import Any

import pytest

from notifications.workflows.data_schema import DataSchema, SchemaError

ORDER = {
    "type": "object",
    "required": ["number"],
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "mail": {"type": "string", "format": "email"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "required": ["a/b"], "properties": {"a/b": {"type": "string"}}}},
}


@pytest.mark.parametrize(
    ("data", "pointers"),
    [
        ({"number": 17}, []),
        ({}, ["/data"]),
        ({"number": 0}, ["/data/number"]),
        ({"number": 1, "mail": "x"}, ["/data/mail"]),
        ({"number": 1, "lines": [{"a/b": "x"}, {"a/b": 1}]}, ["/data/lines/1/a~1b"]),
        ({"number": "1", "more": 1}, ["/data", "/data/number"]),
    ],
)
def test_faults_point_into_the_data(data: Any, pointers: list[str]) -> None:
    assert sorted(fault.pointer for fault in DataSchema(ORDER).check(data)) == pointers


def test_not_more_faults_than_one_reads() -> None:
    schema = DataSchema({"properties": {"n": {"items": {"type": "string"}}}})
    assert len(schema.check({"n": list(range(1000))})) == 20


def test_a_long_value_is_not_repeated_whole() -> None:
    (fault,) = DataSchema({"properties": {"n": {"type": "integer"}}}).check({"n": "x" * 10_000})
    assert len(fault.detail) < 400


def _doubling(levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"a0": {"type": "object"}}
    for level in range(1, levels):
        defs[f"a{level}"] = {"allOf": [{"$ref": f"#/$defs/a{level - 1}"}] * 2}
    return {"$defs": defs, "$ref": f"#/$defs/a{levels - 1}"}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "nope"}, "/type"),
        ({"properties": {"x": {"pattern": "(?=x)"}}}, "/properties/x/pattern"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "/$ref"),
        ({"properties": {"x": {"$ref": "other.json#/x"}}}, "/properties/x/$ref"),
        ({"$id": "http://127.0.0.1:9/"}, "/$id"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"$ref": "#/$defs/gone"}, "/$ref"),
        ({"$ref": "#"}, "/$ref"),
        ({"$defs": {"n": {"properties": {"c": {"$ref": "#/$defs/n"}}}}}, "/$defs/n/properties/c/$ref"),
        ({"properties": {"enum": {"$ref": "http://127.0.0.1:9/"}}}, "/properties/enum/$ref"),
    ],
)
def test_schemas_that_are_refused(schema: Any, pointer: str) -> None:
    with pytest.raises(SchemaError) as caught:
        DataSchema(schema)
    assert caught.value.pointer == pointer


def test_a_schema_that_grows_by_references_is_refused() -> None:
    DataSchema(_doubling(8))
    with pytest.raises(SchemaError, match="More than 2000"):
        DataSchema(_doubling(30))
