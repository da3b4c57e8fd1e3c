"""Numbers as the recipient reads them, by locale.

{{ data.total | number }}           1,234.5      {{ data.total | number: 2 }}  1,234.50
{{ data.share | percent }}          12%          of 0.12
{{ data.price | currency: "EUR" }}  €9.90

What is no number is shown as it is.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from babel import numbers
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.limits import to_int

from notifications.templating.context import Context
from notifications.templating.limits import MAX_NUMBER
from notifications.templating.locales import locale_of
from notifications.templating.plain import text_of


@with_context
def number(value: Any, decimals: Any = None, *, context: Context) -> Any:
    """Grouped as the locale does; with `decimals`, exactly that many."""
    given = _number(value)
    if given is None:
        return value
    places = None if decimals is None else _places(decimals)
    pattern = None if places is None else "#,##0." + "0" * places if places else "#,##0"
    return numbers.format_decimal(given, format=pattern, locale=locale_of(context.given.locale))


@with_context
def percent(value: Any, decimals: Any = 0, *, context: Context) -> Any:
    """A share of one as a percentage."""
    given, locale = _number(value), locale_of(context.given.locale)
    if given is None:
        return value
    places = _places(decimals)
    pattern = locale.percent_formats[None].pattern.replace("#,##0", "#,##0" + ("." + "0" * places if places else ""))
    return numbers.format_percent(given, format=pattern, locale=locale)


@with_context
def currency(value: Any, code: Any, *, context: Context) -> Any:
    """An amount with its currency, an ISO 4217 code."""
    given, code = _number(value), text_of(code).upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise FilterArgumentError("currency needs a code such as EUR", token=None)
    if given is None:
        return value
    return numbers.format_currency(given, code, locale=locale_of(context.given.locale))


def _places(decimals: Any) -> int:
    try:
        places = to_int(decimals)
    except (ValueError, TypeError):
        places = -1
    if not 0 <= places <= 10:
        raise FilterArgumentError("decimals are a number from 0 to 10", token=None)
    return places


def _number(value: Any) -> Decimal | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (isinstance(value, str) and len(value) > 40)
    ):
        return None
    try:
        given = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    return given if given.is_finite() and abs(given) < MAX_NUMBER else None
