"""The template language's nodes that show values: what stands in `{{ }}` is escaped by its field's kind, always, at the last moment.

Only the text of a whole `capture` was escaped already.
"""

from io import StringIO
from typing import TextIO, cast

from liquid.ast import BlockNode, Node
from liquid.builtin import output
from liquid.builtin.expressions import FilteredExpression, LoopExpression
from liquid.builtin.tags import capture_tag, cycle_tag, echo_tag, for_tag, render_tag
from liquid.context import RenderContext
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.token import Token

from notifications.templating.context import Context
from notifications.templating.limits import MAX_TURNS, LimitReached
from notifications.templating.plain import Marked


class Shown(output.OutputNode):
    """A value; when it is undefined and has no `default`, that is noted."""

    __slots__ = ("notes",)

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        filters = expression.filters if isinstance(expression, FilteredExpression) else None
        self.notes = not any(filter_.name == "default" for filter_ in filters or ())

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        given = cast(Context, context)
        given.given.meter.noting = self.notes
        value = self.expression.evaluate(context)
        given.given.meter.noting = False
        return buffer.write(given.shown(value))


class Output(output.Output):
    """`{{ ... }}`"""

    node_class = Shown


class Echo(echo_tag.EchoTag):
    """`{% echo ... %}`"""

    node_class = Shown  # type: ignore[assignment]  # whatever shows an expression


class Iterated(Expression):
    """What a loop goes through: checked before the language would make a list of it; noted when it is undefined."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)

    def evaluate(self, context: RenderContext) -> object:
        meter = cast(Context, context).given.meter
        meter.noting = True
        value = self.inner.evaluate(context)
        meter.noting = False
        if isinstance(value, range) and value.stop - value.start > MAX_TURNS:
            raise LimitReached(f"its loops make more than {MAX_TURNS} turns")
        return value

    async def evaluate_async(self, context: RenderContext) -> object:
        return self.evaluate(context)

    def children(self) -> list[Expression]:
        return [self.inner]


class ForNode(for_tag.ForNode):
    """A loop."""

    __slots__ = ()

    def __init__(
        self, token: Token, expression: LoopExpression, block: BlockNode, default: BlockNode | None = None
    ) -> None:
        expression.iterable = Iterated(expression.iterable)
        super().__init__(token, expression, block, default)


class For(for_tag.ForTag):
    """`{% for item in items %}`"""

    node_class = ForNode


class CycleNode(cycle_tag.CycleNode):
    """Its values may be data, too."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        raw = StringIO()
        super().render_to_output(context, raw)
        return buffer.write(cast(Context, context).shown(raw.getvalue()))


class Cycle(cycle_tag.CycleTag):
    """`{% cycle ... %}`"""

    node_class = CycleNode


class CaptureNode(capture_tag.CaptureNode):
    """What was captured is not escaped a second time."""

    __slots__ = ()

    def _assign(self, context: RenderContext, buf: StringIO) -> None:
        context.assign(self.name, Marked(buf.getvalue()))


class Capture(capture_tag.CaptureTag):
    """`{% capture name %}`"""

    node_class = CaptureNode


class Render(render_tag.RenderTag):
    """`{% render "key" %}`: partials are named outright, so that what a template needs is known before it is rendered."""

    def parse(self, stream: TokenStream) -> Node:
        node = super().parse(stream)
        if isinstance(node, render_tag.RenderNode) and isinstance(node.name, str):
            raise LiquidSyntaxError("render needs the key of a partial in quotes", token=node.token)
        return node
