"""What is wrong with a template, found before it is saved: shape, syntax, filters, variables. Pure.

Whether the partials and layouts that it names exist is for whoever knows the project: `references_of` says which they are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from notifications import texts
from notifications.errors import Fault
from notifications.templating.environment import LANGUAGES
from notifications.templating.errors import TemplateError
from notifications.templating.escaping import Kind
from notifications.templating.fields import ANY_LOCALE, KINDS, LAYOUT_ROOTS, ROOTS, fields_of
from notifications.templating.locales import fallbacks
from notifications.templating.parsing import examine, parse

MAX_LOCALES: Final = 100


@dataclass(frozen=True, slots=True)
class References:
    """Keys of what a template is made with."""

    layouts: frozenset[str] = frozenset()
    partials: frozenset[str] = frozenset()

    def __or__(self, other: "References") -> "References":
        return References(self.layouts | other.layouts, self.partials | other.partials)


def validate_template(raw: Any, channel: str) -> list[Fault]:
    """Faults of a template as it stands in a workflow's step: one variant's fields, `{"locales": {...}}`, or a key."""
    if isinstance(raw, str):
        return _key_faults(raw, "")
    if not isinstance(raw, Mapping):
        return [Fault("", "Must be the fields of a template, or the key of one.")]
    if "locales" not in raw:
        return variant_faults(raw, channel, "")
    if unknown := raw.keys() - {"locales"}:
        return [Fault(f"/{texts.escape_pointer(min(unknown))}", "Stands beside locales; put it into each of them.")]
    return locales_faults(raw["locales"], channel, "/locales")


def locales_faults(raw: Any, channel: str, pointer: str) -> list[Fault]:
    """Faults of `{locale: fields}`, which needs a `default`."""

    def check(variant: Any, at: str) -> list[Fault]:
        return variant_faults(variant, channel, at)

    return each_locale(raw, pointer, check)


def each_locale(raw: Any, pointer: str, check: Any) -> list[Fault]:
    """Faults of a mapping by locale, whose values `check` judges."""
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= MAX_LOCALES:
        return [Fault(pointer, f"Must be an object of 1 to {MAX_LOCALES} locales.")]
    faults = [] if ANY_LOCALE in raw else [Fault(pointer, f"Needs a {ANY_LOCALE}, for whoever has another locale.")]
    for locale, variant in raw.items():
        at = f"{pointer}/{texts.escape_pointer(locale)}"
        if locale != ANY_LOCALE:
            try:
                texts.check_locale(locale)
            except ValueError as error:
                faults.append(Fault(at, str(error)))
                continue
            if locale != fallbacks(locale)[0]:
                faults.append(Fault(at, f"Write this locale as {fallbacks(locale)[0]}."))
                continue
        faults += check(variant, at)
    return faults


def variant_faults(raw: Any, channel: str, pointer: str) -> list[Fault]:
    """Faults of the fields for one channel in one locale."""
    if not isinstance(raw, Mapping):
        return [Fault(pointer, "Must be an object of fields.")]
    allowed = fields_of(channel)
    faults: list[Fault] = []
    for name, value in raw.items():
        at = f"{pointer}/{texts.escape_pointer(name)}"
        if name not in allowed:
            faults.append(Fault(at, f"Unknown field; there are {', '.join(allowed)}."))
        elif not isinstance(value, str):
            faults.append(Fault(at, "Must be text."))
        elif name == "layout":
            faults += _key_faults(value, at)
        else:
            faults += source_faults(KINDS[name], value, at, ROOTS)
    if not faults and not any(raw.get(name, "").strip() for name in ("title", "subject", "body", "html")):
        faults.append(Fault(pointer, "Says nothing: it needs a title, a subject or a body."))
    if "body" in raw and "html" in raw:
        faults.append(Fault(f"{pointer}/html", "Give body or html, not both; the text of a mail is made of either."))
    return faults


def layout_faults(raw: Any, pointer: str) -> list[Fault]:
    """Faults of a layout's fields in one locale."""
    faults = _only(raw, "html", pointer)
    if faults:
        return faults
    faults = source_faults(Kind.HTML, raw["html"], f"{pointer}/html", LAYOUT_ROOTS)
    if not faults and "content" not in roots_of(Kind.HTML, raw["html"]):
        faults.append(Fault(f"{pointer}/html", "A layout shows {{ content }} somewhere."))
    return faults


def partial_faults(raw: Any, pointer: str) -> list[Fault]:
    """Faults of a partial's fields in one locale; its variables are given to it by whoever renders it."""
    return _only(raw, "text", pointer) or source_faults(Kind.HTML, raw["text"], f"{pointer}/text", None)


def validate_line(raw: Any, pointer: str = "") -> list[Fault]:
    """Faults of Liquid that gives one line, such as the key of a digest."""
    return source_faults(Kind.LINE, raw, pointer, ROOTS) if isinstance(raw, str) else [Fault(pointer, "Must be text.")]


def source_faults(kind: Kind, source: str, pointer: str, roots: Collection[str] | None) -> list[Fault]:
    """Faults of one text; `roots` are the variables that may be used, None: any."""
    try:
        texts.check_storable(source)
        use = examine(parse(kind, source), source)
    except TemplateError as error:
        return [Fault(pointer, error.detail)]
    except ValueError as error:
        return [Fault(pointer, str(error))]
    known = LANGUAGES[kind].filters
    faults = [
        Fault(pointer, f"There is no filter {name} (line {line}).") for name, line in use.filters if name not in known
    ]
    if roots is not None:
        faults += [
            Fault(pointer, f"Undefined variable {name[:100]} (line {line}); there are {', '.join(sorted(roots))}.")
            for name, line in use.variables
            if name not in roots
        ]
    return faults


def roots_of(kind: Kind, source: str) -> frozenset[str]:
    """The variables that a well-formed text uses and does not define."""
    return frozenset(name for name, _ in examine(parse(kind, source), source).variables)


def references_of(fields: Mapping[str, Any]) -> References:
    """What one variant's fields, well-formed, refer to."""
    layout = fields.get("layout")
    sources = [(KINDS.get(name, Kind.HTML), text) for name, text in fields.items() if name != "layout"]
    partials = [key for kind, text in sources for key in examine(parse(kind, text), text).partials]
    return References(frozenset([layout] if layout else []), frozenset(partials))


def _only(raw: Any, name: str, pointer: str) -> list[Fault]:
    if not isinstance(raw, Mapping) or raw.keys() != {name} or not isinstance(raw[name], str):
        return [Fault(pointer, f"Must be an object with the one field {name}.")]
    return [] if raw[name].strip() else [Fault(f"{pointer}/{name}", "Must not be empty.")]


def _key_faults(key: str, pointer: str) -> list[Fault]:
    try:
        texts.check_key(key)
    except ValueError as error:
        return [Fault(pointer, str(error))]
    return []
