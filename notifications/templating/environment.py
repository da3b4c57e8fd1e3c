"""The template language: Liquid with the tags and filters that are safe to give away, one environment per kind of text.

Left out of python-liquid's: `include` (`render` sees only what it is given), `tablerow`, `liquid`, `doc`, and the filters `safe`, `escapejs`
and `escape_once`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from liquid import Environment
from liquid.builtin import content, illegal
from liquid.builtin.tags import (
    assign_tag,
    case_tag,
    decrement_tag,
    for_tag,
    if_tag,
    ifchanged_tag,
    increment_tag,
    unless_tag,
)
from liquid.context import RenderContext
from liquid.exceptions import TemplateNotFoundError
from liquid.template import BoundTemplate

from notifications.templating import limits, nodes
from notifications.templating.context import Context
from notifications.templating.escaping import Kind
from notifications.templating.filters.registry import FILTERS
from notifications.templating.lexing import Tokenizer, tokens_of

_TAGS: Final[tuple[Any, ...]] = (
    content.Literal,
    nodes.Output,
    illegal.Illegal,
    if_tag.IfTag,
    unless_tag.UnlessTag,
    case_tag.CaseTag,
    nodes.For,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    assign_tag.AssignTag,
    nodes.Capture,
    nodes.Cycle,
    increment_tag.IncrementTag,
    decrement_tag.DecrementTag,
    nodes.Echo,
    nodes.Render,
    ifchanged_tag.IfChangedTag,
)
_SHORT: Final = 4096


class Template(BoundTemplate):
    """A parsed text."""

    context_class = Context


class Liquid(Environment):
    """The language for one kind of text. Parsed texts are kept: the same few are rendered for very many recipients."""

    block_nesting_limit = limits.MAX_BLOCKS
    context_depth_limit = limits.MAX_DEPTH
    loop_iteration_limit = limits.MAX_TURNS
    local_namespace_limit = limits.MAX_LOCAL_BYTES
    output_stream_limit = limits.MAX_OUTPUT_BYTES
    template_class = Template

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        super().__init__()
        # Two, so that long texts cannot push out many short ones, nor many long ones fill the memory.
        self._short: Callable[[str], BoundTemplate] = lru_cache(maxsize=1024)(self.from_string)
        self._long: Callable[[str], BoundTemplate] = lru_cache(maxsize=32)(self.from_string)

    def __hash__(self) -> int:
        return hash(self.kind)

    def __eq__(self, other: object) -> bool:
        return self is other

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in _TAGS:
            self.add_tag(tag)
        self.filters.update(FILTERS)

    def tokenizer(self) -> Tokenizer:
        return tokens_of

    def parsed(self, source: str) -> BoundTemplate:
        """The template of this source. Raises `LiquidError`."""
        return self._short(source) if len(source) <= _SHORT else self._long(source)

    def get_template(self, name: str, *, context: RenderContext | None = None, **_: Any) -> BoundTemplate:
        """A partial that was given to this rendering."""
        source = context.given.partials.get(name) if isinstance(context, Context) else None
        if source is None:
            raise TemplateNotFoundError(f"there is no partial {name[:100]!r}", filename=name[:100])
        return self.parsed(source)


LANGUAGES: Final = {kind: Liquid(kind) for kind in Kind}
