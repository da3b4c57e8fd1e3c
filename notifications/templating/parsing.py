"""What can be known of a text without rendering it: whether it is well-formed, and what it refers to."""

from collections.abc import Iterator
from dataclasses import dataclass

from liquid.ast import Node
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.tags.render_tag import RenderNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.static_analysis import Variable
from liquid.template import BoundTemplate

from notifications.templating.environment import LANGUAGES
from notifications.templating.errors import TemplateError
from notifications.templating.escaping import Kind
from notifications.templating.limits import MAX_SOURCE

_REASONS = {
    "OutputStreamLimitError": "it says more than 256 KiB",
    "LoopIterationLimitError": "its loops make too many turns",
    "LocalNamespaceLimitError": "it keeps too much in variables of its own",
    "ContextDepthError": "partials and loops are nested too deeply",
    "BlockNestingError": "blocks are nested too deeply",
}
BREAKAGES = (LiquidError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What python-liquid and its filters raise on input they did not expect."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a text asks for."""

    variables: tuple[tuple[str, int], ...]
    """Roots that the text does not define itself, and the line where each is first used."""
    filters: tuple[tuple[str, int], ...]
    partials: tuple[str, ...]


def parse(kind: Kind, source: str, pointer: str = "") -> BoundTemplate:
    """The parsed text. Raises `TemplateError`."""
    if len(source) > MAX_SOURCE:
        raise TemplateError(pointer, f"A template has at most {MAX_SOURCE} characters.")
    try:
        return LANGUAGES[kind].parsed(source)
    except BREAKAGES as error:
        raise TemplateError(pointer, sentence(error)) from None


def examine(template: BoundTemplate, source: str) -> Use:
    """What it asks for; partials are named, not entered. Raises `TemplateError`."""
    try:
        found = template.analyze(include_partials=False)
        partials = dict.fromkeys(_partials(template))
    except BREAKAGES as error:
        raise TemplateError("", sentence(error)) from None
    variables = tuple((name, _line(source, _first(where))) for name, where in found.globals.items())
    filters = tuple((name, _line(source, spans[0].index)) for name, spans in found.filters.items())
    return Use(variables, filters, tuple(partials))


def _first(where: list[Variable]) -> int:
    return min(variable.span.index for variable in where)


def _partials(template: BoundTemplate) -> Iterator[str]:
    context = RenderContext(template)
    stack: list[Node] = list(template.nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, RenderNode) and isinstance(node.name, StringLiteral):
            yield node.name.value
        stack.extend(node.children(context, include_partials=False))


def sentence(error: Exception) -> str:
    """What is wrong, for the template's author: never Python's own words about our insides."""
    if not isinstance(error, LiquidError):
        return "Nested too deeply." if isinstance(error, RecursionError) else "A filter does not fit its value."
    said = _REASONS.get(type(error).__name__) or str(error.message or "it cannot be read")
    if said == "unexpected liquid parsing error":
        said = "it cannot be read, or is nested too deeply"
    said = f"{said[0].upper()}{said[1:300]}"
    token = error.token
    where = f" (line {_line(token.source, token.start_index)})" if token is not None and token.start_index >= 0 else ""
    return f"{said}{where}."


def _line(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
