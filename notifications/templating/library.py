"""What a project has stored, as far as a rendering needs it: templates by key, and the partials and layouts they use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from notifications.templating.selection import for_locale

BUILT_IN_LAYOUT: Final = "default"
"""A mail may name this layout though the project has none of this key: then it is one of `branding.LAYOUTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Each maps a key to what its published version says; shapes as in `models/templates.py`. What is missing was not found."""

    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    partials: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def partials_in(self, locale: str | None, default_locale: str) -> dict[str, str]:
        """Every partial's source in the locale."""
        found = {key: for_locale(locales, locale, default_locale) for key, locales in self.partials.items()}
        return {key: variant[1].get("text", "") for key, variant in found.items() if variant is not None}


EMPTY: Final = Library()
