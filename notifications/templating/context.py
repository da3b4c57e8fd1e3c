"""The template's view of the world while it is rendered: plain data, partials by name, and a meter that runs."""

from collections.abc import Iterator, Mapping
from contextlib import _GeneratorContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from liquid.builtin.tags.for_tag import ForLoop
from liquid.builtin.tags.tablerow_tag import TableRow
from liquid.context import RenderContext
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED, Undefined
from liquid.utils import ReadOnlyChainMap

from notifications.templating.escaping import Kind, escape
from notifications.templating.limits import MAX_OUTPUT_BYTES, LimitReached, Meter
from notifications.templating.plain import Marked, is_plain, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What all fields of one rendering share."""

    locale: str
    timezone: str
    now: datetime
    partials: Mapping[str, str]
    meter: Meter


class Context(RenderContext):
    """python-liquid's context, with a meter and without Python's objects."""

    def __init__(
        self,
        template: BoundTemplate,
        *,
        given: Circumstances | None = None,
        parent_context: RenderContext | None = None,
        **options: Any,
    ) -> None:
        super().__init__(template, parent_context=parent_context, **options)
        self.given: Circumstances = given if given is not None else cast(Context, parent_context).given
        self.kind: Kind = self.env.kind  # type: ignore[attr-defined]  # of our own environment
        # Without the library's own `now` and `today`, which ask the system's clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        meter = self.given.meter
        meter.step()
        value = super().get(path, token=token, default=default)
        if isinstance(value, Undefined):
            if meter.noting:
                meter.undefined.setdefault(".".join(str(part) for part in path)[:200])
        elif not is_plain(value) and not isinstance(value, ForLoop):
            return self.env.undefined(str(path[0]), token=token)
        return value

    def shown(self, value: object) -> str:
        """A value as it goes into this kind of text."""
        if isinstance(value, Marked):
            return value
        text = text_of(value)
        if len(text) > MAX_OUTPUT_BYTES:
            raise LimitReached(f"it says more than {MAX_OUTPUT_BYTES // 1024} KiB")
        return escape(self.kind, text)

    def assign(self, key: str, val: Any) -> None:
        self.given.meter.step()
        super().assign(key, val)

    def filter(self, name: str, token: Token | None) -> Any:
        self.given.meter.step()
        return super().filter(name, token)

    def extend(
        self, namespace: Mapping[str, object], template: BoundTemplate | None = None
    ) -> _GeneratorContextManager[RenderContext]:
        self.given.meter.turn()
        return super().extend(namespace, template)

    def loop(
        self, namespace: Mapping[str, object], forloop: ForLoop | TableRow
    ) -> _GeneratorContextManager[RenderContext]:
        forloop.it = self._counted(forloop.it)
        return super().loop(namespace, forloop)

    def _counted(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.given.meter.turn()
            yield item
