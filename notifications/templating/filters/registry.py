"""All filters, each guarded: it neither takes nor makes more than the limits allow."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from liquid.builtin.filters import array, math, misc, string

from notifications.templating.filters import figures, moments, texts, words
from notifications.templating.limits import check_size

_FREE: Final = {"size": misc.size, "first": array.first, "last": array.last}
"""These look at no more than one item."""

_BOUNDED: Final[dict[str, Callable[..., Any]]] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": math.round_,
    "times": math.times,
    "append": string.append,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "lstrip": string.lstrip,
    "prepend": string.prepend,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "remove_last": string.remove_last,
    "replace": texts.replace,
    "replace_first": string.replace_first,
    "replace_last": string.replace_last,
    "rstrip": string.rstrip,
    "slice": string.slice_,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_html": texts.strip_html,
    "strip_newlines": texts.strip_newlines,
    "newline_to_br": texts.newline_to_br,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "escape": texts.escape,
    "json": texts.json,
    "url_encode": texts.url_encode,
    "url_decode": string.url_decode,
    "base64_encode": string.base64_encode,
    "base64_decode": string.base64_decode,
    "base64_url_safe_encode": string.base64_url_safe_encode,
    "base64_url_safe_decode": string.base64_url_safe_decode,
    "compact": array.compact,
    "concat": array.concat,
    "find": array.find,
    "find_index": array.find_index,
    "has": array.has,
    "join": texts.join,
    "map": array.map_,
    "reject": array.reject,
    "reverse": array.reverse,
    "sort": array.sort,
    "sort_natural": array.sort_natural,
    "sum": array.sum_,
    "uniq": texts.uniq,
    "where": array.where,
    "default": misc.default,
    "date": moments.date,
    "time": moments.time,
    "datetime": moments.datetime_,
    "relative": moments.relative,
    "number": figures.number,
    "percent": figures.percent,
    "currency": figures.currency,
    "names": words.names,
    "pluralize": words.pluralize,
}


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def filtered(value: Any, *arguments: Any, **named: Any) -> Any:
        check_size(value)
        for argument in arguments:
            check_size(argument)
        result = function(value, *arguments, **named)
        check_size(result)
        return result

    return filtered


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    **_FREE,
    **{name: _guarded(function) for name, function in _BOUNDED.items()},
}
