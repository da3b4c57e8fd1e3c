"""Who and what there is when a scenario begins, checked as the API would check it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from api.serializers.endpoints import EndpointIn
from api.serializers.recipients import RecipientFieldsIn
from api.serializers.schedules import ScheduleIn
from api.serializing import validated
from deploy.examples.loading import read_examples
from notifications import texts
from notifications.conf import conf
from notifications.errors import Fault, Invalid
from notifications.preferences.parsing import parse_preferences
from notifications.workflows.parsing import parse_definition
from schedules.checking import parse as parse_scheduled
from schedules.services import Plan

T = TypeVar("T")

EXAMPLE: Final = "example"
_NOBODY: Final = UUID(int=0)


class Given(Protocol):
    """The parts of a scenario file that set up."""

    @property
    def project(self) -> dict[str, Any]: ...
    @property
    def recipients(self) -> list[dict[str, Any]]: ...
    @property
    def topics(self) -> dict[str, list[str]]: ...
    @property
    def workflows(self) -> dict[str, Any]: ...
    @property
    def schedules(self) -> dict[str, dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient: fields, preferences and endpoints as the API takes them."""

    id: str
    fields: Mapping[str, Any]
    preferences: Mapping[str, Any] | None
    endpoints: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """All of it."""

    project: Mapping[str, Any]
    people: tuple[Person, ...]
    topics: Mapping[str, list[str]]
    workflows: Mapping[str, dict[str, Any]]
    schedules: Mapping[str, Plan]


def parse_cast(given: Given, faults: list[Fault]) -> Cast:
    """What can be used of it; what cannot is told in `faults`."""
    people = [_checked(_person, raw, f"/recipients/{index}", faults) for index, raw in enumerate(given.recipients)]
    names = [person.id for person in people if person is not None]
    for index, person in enumerate(people):
        if person is not None and person.id in names[:index]:
            faults.append(Fault(f"/recipients/{index}/id", "Named twice."))
    for key, members in given.topics.items():
        pointer = f"/topics/{texts.escape_pointer(key)}"
        _checked(_key, key, pointer, faults)
        faults += [
            Fault(f"{pointer}/{index}", "Not one of the recipients.")
            for index, member in enumerate(members)
            if member not in names
        ]
    examples = {example.key: example.workflow for example in read_examples()}
    workflows = {
        key: _checked(partial(_workflow, key, examples), raw, _below("workflows", key), faults)
        for key, raw in given.workflows.items()
    }
    schedules = {key: _checked(_plan, raw, _below("schedules", key), faults) for key, raw in given.schedules.items()}
    return Cast(
        project=given.project,
        people=tuple(person for person in people if person is not None),
        topics=given.topics,
        workflows={key: workflow for key, workflow in workflows.items() if workflow is not None},
        schedules={key: plan for key, plan in schedules.items() if plan is not None},
    )


def _checked(check: Callable[[Any], T], raw: Any, pointer: str, faults: list[Fault]) -> T | None:
    try:
        return check(raw)
    except Invalid as error:
        faults += [Fault(f"{pointer}{fault.pointer}", fault.detail) for fault in error.faults]
    except ValueError as error:
        faults.append(Fault(pointer, str(error)))
    return None


def _below(part: str, key: str) -> str:
    return f"/{part}/{texts.escape_pointer(key)}"


def _key(key: str) -> str:
    return texts.check_key(key)


def _person(raw: dict[str, Any]) -> Person:
    fields = dict(raw)
    name, preferences, endpoints = fields.pop("id", None), fields.pop("preferences", None), fields.pop("endpoints", [])
    faults: list[Fault] = []
    if not isinstance(name, str):
        raise Invalid([Fault("/id", "Say the recipient's id.")])
    _checked(texts.check_external_id, name, "/id", faults)
    checked = _checked(lambda given: validated(RecipientFieldsIn, given), fields, "", faults)
    if preferences is not None:
        _checked(parse_preferences, preferences, "/preferences", faults)
    if not isinstance(endpoints, list):
        raise Invalid([Fault("/endpoints", "Must be a list.")])
    addresses = [
        _checked(lambda given: validated(EndpointIn, given), one, f"/endpoints/{index}", faults)
        for index, one in enumerate(endpoints)
    ]
    if faults:
        raise Invalid(faults)
    return Person(name, checked or {}, preferences, tuple(one for one in addresses if one is not None))


def _workflow(key: str, examples: Mapping[str, dict[str, Any]], raw: Any) -> dict[str, Any]:
    _key(key)
    if raw == EXAMPLE:
        if key not in examples:
            raise Invalid([Fault("", f"No such example; there are {', '.join(sorted(examples))}.")])
        raw = examples[key]
    if not isinstance(raw, dict):
        raise Invalid([Fault("", f'Must be a definition, or "{EXAMPLE}".')])
    parse_definition(raw, channels=conf().channels)
    return raw


def _plan(raw: dict[str, Any]) -> Plan:
    plan: Plan = validated(ScheduleIn, raw)["plan"]
    try:
        parse_scheduled(dict(plan.notification), project_id=_NOBODY)
    except Invalid as error:
        raise Invalid([Fault(f"/notification{fault.pointer}", fault.detail) for fault in error.faults]) from error
    return plan
