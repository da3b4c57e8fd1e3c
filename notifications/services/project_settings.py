"""What a project decides for all of its recipients."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications import texts
from notifications.errors import Fault, Invalid
from notifications.merge_patch import merge_patch
from notifications.models import Project, ProjectSettings
from notifications.preferences.caps import parse_caps
from notifications.preferences.parsing import parse_preferences

_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LONGEST_FOOTER: Final = 2000


def patch_settings(*, project_id: UUID, patch: Mapping[str, Any]) -> ProjectSettings:
    """The settings with `patch` merged into them (RFC 7396); null is the default again. Raises `Invalid`."""
    faults: list[Fault] = [
        Fault(f"/{texts.escape_pointer(texts.printable(name))}", "Unknown field.")
        for name in patch.keys() - set(_FIELDS)
    ]
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project_id)
        row = ProjectSettings.objects.filter(project_id=project_id).first() or ProjectSettings(project_id=project_id)
        for name, (default, check) in _FIELDS.items():
            if name not in patch:
                continue
            value = merge_patch(_now(row, name, default), patch[name])
            value = default if value is None else value
            try:
                check(value)
            except Invalid as error:
                faults += [Fault(f"/{name}{fault.pointer}", fault.detail) for fault in error.faults]
            setattr(row, name, value)
        if faults:
            raise Invalid(faults)
        for name, (default, _) in _FIELDS.items():
            setattr(row, name, _now(row, name, default))
        row.updated_at = Now()
        row.save()
    return get_settings(project_id)


def get_settings(project_id: UUID) -> ProjectSettings:
    """The project's settings, or the defaults where it has never said anything."""
    found = ProjectSettings.objects.select_related("project").filter(project_id=project_id).first()
    if found is not None:
        return found
    project = Project.objects.get(pk=project_id)
    defaults = {name: default for name, (default, _) in _FIELDS.items()}
    return ProjectSettings(project=project, updated_at=project.created_at, **defaults)


def check_brand(brand: Any) -> None:
    """`{name, logo_url, color, footer}`, each of which may be left out. Raises `Invalid`."""
    if not isinstance(brand, dict):
        raise Invalid([Fault("", "Must be an object.")])
    faults = []
    for name, value in brand.items():
        pointer = f"/{texts.escape_pointer(texts.printable(name))}"
        if name not in _BRAND:
            faults.append(Fault(pointer, "Unknown field."))
        elif not isinstance(value, str):
            faults.append(Fault(pointer, "Must be a string."))
        else:
            try:
                _BRAND[name](value)
            except ValueError as error:
                faults.append(Fault(pointer, str(error)))
    if faults:
        raise Invalid(faults)


def _now(row: ProjectSettings, name: str, default: Any) -> Any:
    """A field's value; a row that is not stored yet has the database's defaults still to come."""
    value = getattr(row, name)
    return value if isinstance(value, type(default)) else default


def _line(value: str) -> str:
    if len(value) > 200:
        raise ValueError("At most 200 characters.")
    return texts.check_line(value)


def _color(value: str) -> str:
    if not _COLOR.match(value):
        raise ValueError("Must be a colour such as #2456c4.")
    return value


def _footer(value: str) -> str:
    if len(value) > _LONGEST_FOOTER:
        raise ValueError(f"At most {_LONGEST_FOOTER} characters.")
    return texts.check_storable(value)


_BRAND: Final[Mapping[str, Callable[[str], str]]] = {
    "name": _line,
    "logo_url": texts.check_url,
    "color": _color,
    "footer": _footer,
}


def _text(check: Callable[[str], str]) -> Callable[[Any], None]:
    def checked(value: Any) -> None:
        try:
            if not isinstance(value, str):
                raise ValueError("Must be a string.")
            check(value)
        except ValueError as error:
            raise Invalid([Fault("", str(error))]) from error

    return checked


def _locale(value: str) -> str:
    if len(value) > 35:
        raise ValueError("At most 35 characters.")
    return texts.check_locale(value)


_FIELDS: Final[Mapping[str, tuple[Any, Callable[[Any], Any]]]] = {
    "default_locale": ("en", _text(_locale)),
    "timezone": ("UTC", _text(texts.check_timezone)),
    "brand": ({}, check_brand),
    "preferences": ({}, parse_preferences),
    "caps": ({}, parse_caps),
}
"""Field -> (default, check)."""
