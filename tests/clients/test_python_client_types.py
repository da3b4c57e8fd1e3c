"""The Python client knows every field that the OpenAPI document promises and takes every one that it asks for, and no other."""

import importlib
import json
import pkgutil
from typing import Any, Final

import carillon_client
import msgspec
import pytest
from carillon_client import inputs, preferences, schedules, templates
from carillon_client.inbox_results import Position
from carillon_client.result import Page, Result, SecretResult

from api.openapi_document import document

NO_ANSWERS: Final = {Result, SecretResult, Page, Position}
"""What answers are made of, and what callers keep."""
OTHER_NAMES: Final = {
    "CallbackWithSecret": "CallbackMade",
    "EndpointWithSecret": "EndpointMade",
    "EventEndpoint": "EventEndpointMade",
    "Plan": "DryRun",
    "PreferenceSet": "Preferences",
    "ProjectSettings": "Project",
    "Statistics": "Stats",
}
INPUTS: Final = {
    inputs.Submission: "NotificationIn",
    inputs.RecipientFields: "RecipientFieldsIn",
    inputs.InlineRecipient: "RecipientIn",
    inputs.TopicEntry: "TopicIn",
    inputs.ContentInput: "ContentIn",
    inputs.AttachmentInput: "AttachmentIn",
    inputs.EndpointChanges: "EndpointPatchIn",
    preferences.PreferencesInput: "PreferencesIn",
    preferences.ProjectChanges: "ProjectIn",
    schedules.ScheduleInput: "ScheduleIn",
    templates.Sample: "SampleIn",
}


def answers() -> list[type[Result]]:
    """Every type of an answer that the client has."""
    for module in pkgutil.iter_modules(carillon_client.__path__):
        importlib.import_module(f"carillon_client.{module.name}")
    found: set[type[Result]] = set()
    more: list[type[Result]] = [Result]
    while more:
        found.add(more[-1])
        more += more.pop().__subclasses__()
    return sorted(
        (each for each in found - NO_ANSWERS if not hasattr(each, "__origin__")), key=lambda one: one.__name__
    )


def fields_of(schema: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document()[0])["components"]["schemas"][schema]["properties"]
    return found


@pytest.mark.parametrize("answer", answers(), ids=lambda answer: answer.__name__)
def test_an_answer_is_read_whole(answer: type[Result]) -> None:
    described = fields_of(f"{OTHER_NAMES.get(answer.__name__, answer.__name__)}Out")
    assert {field.encode_name for field in msgspec.structs.fields(answer)} == set(described)


@pytest.mark.parametrize(("given", "schema"), INPUTS.items(), ids=lambda each: getattr(each, "__name__", None))
def test_everything_that_is_taken_can_be_given(given: type, schema: str) -> None:
    assert set(given.__annotations__) | {
        name for base in getattr(given, "__orig_bases__", ()) for name in getattr(base, "__annotations__", ())
    } == set(fields_of(schema))
