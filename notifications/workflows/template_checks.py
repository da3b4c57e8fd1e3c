"""What is checked of a template when a workflow is saved: the seam between workflows and templates. Pure."""

from collections.abc import Callable
from typing import Any

from notifications import texts
from notifications.errors import Fault

TemplateCheck = Callable[[Any, str], list[Fault]]
"""(template, channel) -> faults, with pointers into the template."""
LineCheck = Callable[[str], list[Fault]]
"""(one line of Liquid) -> faults, without pointers."""


def check_template(template: Any, channel: str) -> list[Fault]:
    """The shape alone: a stored template's key, fields that are strings, or such fields by locale."""
    if isinstance(template, str):
        try:
            texts.check_key(template)
        except ValueError as error:
            return [Fault("", f"Not a template's key: {error}")]
        return []
    if "locales" not in template:
        return _check_fields(template, "")
    locales = template["locales"]
    if set(template) != {"locales"} or not isinstance(locales, dict) or not locales:
        return [Fault("/locales", 'Must be an object such as {"default": {...}, "de": {...}}, and stand alone.')]
    faults = []
    for locale, fields in locales.items():
        pointer = f"/locales/{texts.escape_pointer(locale)}"
        try:
            texts.check_locale("en" if locale == "default" else locale)
        except ValueError as error:
            faults.append(Fault(pointer, str(error)))
        faults += _check_fields(fields, pointer)
    return faults


def check_line(line: str) -> list[Fault]:
    """Nothing yet."""
    return []


def _check_fields(fields: Any, pointer: str) -> list[Fault]:
    if not isinstance(fields, dict) or not fields:
        return [Fault(pointer, "Must be an object of texts.")]
    return [
        Fault(f"{pointer}/{texts.escape_pointer(name)}", "Must be a string.")
        for name, value in fields.items()
        if not isinstance(value, str)
    ]
