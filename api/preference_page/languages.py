"""The languages that the page speaks, and which of them somebody is spoken to in. Pure."""

from collections.abc import Mapping
from typing import Final

from api.preference_page.english import ENGLISH
from api.preference_page.french import FRENCH
from api.preference_page.german import GERMAN
from api.preference_page.spanish import SPANISH
from api.preference_page.words import Words

LANGUAGES: Final[Mapping[str, Words]] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
"""By ISO 639."""


def choose_language(*wishes: str | None) -> str:
    """The first language that is spoken here, of locales (`de-AT`) and `Accept-Language` headers in order; else English."""
    for wish in wishes:
        for tag in _by_weight(wish or ""):
            language = tag.replace("_", "-").partition("-")[0].lower()
            if language in LANGUAGES:
                return language
    return "en"


def _by_weight(header: str) -> list[str]:
    weighed = []
    for part in header[:1000].split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            weighed.append((-weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
