"""Query strings, read strictly: known parameters only, each once, nothing that could not be stored."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest

from notifications import texts
from notifications.errors import Fault, Invalid, Malformed


def read_query(request: HttpRequest, known: Iterable[str]) -> dict[str, str]:
    """The request's parameters. Raises `Invalid` with the parameter's name as pointer: a filter that is misspelt and
    silently ignored would replay or show the wrong things."""
    if not request.META.get("QUERY_STRING"):
        return {}
    try:
        given = request.GET
    except TooManyFieldsSent:
        raise Malformed("Too many query parameters.") from None
    allowed = frozenset(known)
    faults = [fault for name, values in given.lists() if (fault := _fault(name, values, allowed))]
    if faults:
        raise Invalid(faults)
    return given.dict()


def read_flag(query: dict[str, str], name: str) -> bool:
    """`true` or `false`; absent is false."""
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise Invalid([Fault(f"/{name}", "Must be true or false.")])
    return value == "true"


def _fault(name: str, values: Sequence[str | list[object]], allowed: frozenset[str]) -> Fault | None:
    if name not in allowed:
        return Fault(f"/{texts.escape_pointer(texts.printable(name))}", "Unknown query parameter.")
    if len(values) != 1:
        return Fault(f"/{name}", "Given more than once.")
    try:
        texts.check_line(texts.check_storable(str(values[0])))
    except ValueError as error:
        return Fault(f"/{name}", str(error))
    return None
