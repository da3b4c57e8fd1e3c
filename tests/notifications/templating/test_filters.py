"""Filters of our own: people, numbers and times as recipients read them, in at least four languages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from notifications import clock
from notifications.templating.errors import TemplateError
from tests.notifications.templating.saying import body, title

PEOPLE = [{"name": "Ana"}, {"name": "Bo"}, {"name": "Cy"}, {"name": "Di"}]


@pytest.mark.parametrize(
    ("locale", "people", "said"),
    [
        ("en", 0, "Somebody"),
        ("en", 1, "Ana"),
        ("en", 2, "Ana and Bo"),
        ("en", 3, "Ana, Bo and 1 other"),
        ("en", 4, "Ana, Bo and 2 others"),
        ("de", 3, "Ana, Bo und 1 weitere Person"),
        ("de-AT", 4, "Ana, Bo und 2 weitere Personen"),
        ("fr", 4, "Ana, Bo et 2 autres"),
        ("es", 4, "Ana, Bo y 2 más"),
        ("ja", 2, "Ana、Bo"),
    ],
)
def test_names(locale: str, people: int, said: str) -> None:
    assert title("{{ actors | names: 2 }}", locale=locale, actors=PEOPLE[:people]) == said


def test_names_once_each_by_any_shape_and_with_a_total() -> None:
    assert title("{{ a | names: 3 }}", a=["Ana", "Ana", {"id": "u7"}, {"name": None}, 5]) == "Ana, u7 and 5"
    assert title("{{ a | names: 2, total: 40 }}", a=PEOPLE) == "Ana, Bo and 38 others"
    assert title("{{ a | names: 1 }}", locale="es", a=["Ana", "Igor"]) == "Ana y 1 más"
    assert title("{{ a | names }}", locale="es", a=["Ana", "Igor"]) == "Ana e Igor"


@pytest.mark.parametrize(
    ("locale", "count", "word"),
    [("en", 1, "one"), ("en", 0, "other"), ("en", 2, "other"), ("fr", 0, "one"), ("fr", 2, "other"), ("ru", 3, "few")],
)
def test_pluralize(locale: str, count: Any, word: str) -> None:
    assert title("{{ n | pluralize: 'one', 'other', few: 'few' }}", locale=locale, n=count) == word


def test_a_digests_headline() -> None:
    source = '{{ total_items }} new {{ total_items | pluralize: "comment", "comments" }} by {{ actors | names: 2 }}'
    assert title(source, total_items=3, actors=PEOPLE) == "3 new comments by Ana, Bo and 2 others"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "Mar 29, 2026, 3:30:00\u202fAM | 03:30 | March | Sunday"),
        ("de", "29.03.2026, 03:30:00 | 03:30 | März | Sonntag"),
        ("fr", "29 mars 2026, 03:30:00 | 03:30 | mars | dimanche"),
        ("es", "29 mar 2026, 3:30:00 | 03:30 | marzo | domingo"),
    ],
)
def test_times_by_locale_and_time_zone(locale: str, said: str) -> None:
    """An hour after Berlin's clocks went forward."""
    source = '{{ at | datetime }} | {{ at | time: "HH:mm" }} | {{ at | date: "%B" }} | {{ at | date: "EEEE" }}'
    assert title(source, locale=locale, timezone="Europe/Berlin", at="2026-03-29T01:30:00Z") == said.replace(
        "\u202f", "\u202f"
    )


def test_a_time_may_come_in_many_shapes() -> None:
    for value in (1774747800, "1774747800", "2026-03-29T01:30:00Z", "2026-03-29T03:30:00+02:00", "2026-03-29 01:30"):
        assert title("{{ at | date: '%F %R' }}", timezone="Europe/Berlin", at=value) == "2026-03-29 03:30", value
    assert title("{{ at | date }}", timezone="America/New_York", at="2026-03-29") == "Mar 29, 2026"
    for no_time in ("soon", "", None, True, [1], "9" * 30, 10**25, "2026-13-01"):
        title("{{ at | date }}", at=no_time)
    assert title("{{ at | date }}", at="soon") == "soon"
    with pytest.raises(TemplateError, match="no %Q"):
        title("{{ at | date: '%Q' }}", at="2026-03-29")


def test_relative_times_go_by_the_clock() -> None:
    with clock.running_by(lambda: datetime(2026, 3, 29, 1, 30, tzinfo=UTC)):
        assert title("{{ at | relative }}", at="2026-04-01T01:30:00Z") == "in 3 days"
        assert title("{{ at | relative }}", locale="de", at="2026-03-29T00:30:00Z") == "vor 1 Stunde"
        assert title("{{ 'now' | date: '%F' }} {{ now | date: '%F' }}") == "2026-03-29 2026-03-29"


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en", "1,234.5 1,234.50 €9.90 12%"), ("de", "1.234,5 1.234,50 9,90\xa0€ 12\xa0%"), ("fr-CH", None)],
)
def test_numbers_by_locale(locale: str, said: str | None) -> None:
    source = '{{ n | number }} {{ n | number: 2 }} {{ 9.9 | currency: "EUR" }} {{ 0.12 | percent }}'
    shown = title(source, locale=locale, n="1234.5")
    assert said is None or shown == said
    assert title("{{ n | number }}", n="many") == "many"


def test_lists() -> None:
    assert title("{{ a | uniq | join: ',' }}", a=["b", "a", "b", "c", "a"]) == "b,a,c"
    assert (
        title("{{ a | uniq: 'id' | map: 'n' | join }}", a=[{"id": 1, "n": 1}, {"id": 1, "n": 2}, {"id": 2, "n": 3}])
        == "1 3"
    )
    assert title("{{ a | replace: '', 'x' }}{{ a | replace: 'a', 'b' }}", a="aa") == "aabb"
    assert body("{{ a | strip_html }}", a="<b>x</b> & y") == "x & y"
