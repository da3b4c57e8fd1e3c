"""The fields of one template, parsed together and rendered together under one meter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liquid.template import BoundTemplate

from notifications.clock import utc_now
from notifications.templating.context import Circumstances, Context
from notifications.templating.errors import TemplateError
from notifications.templating.escaping import Kind
from notifications.templating.fields import KINDS
from notifications.templating.limits import MAX_OUTPUT_BYTES, Meter
from notifications.templating.locales import fallbacks
from notifications.templating.parsing import BREAKAGES, parse, sentence


@dataclass(frozen=True, slots=True)
class Compiled:
    """Ready to be rendered, as often as wanted."""

    fields: Mapping[str, BoundTemplate]
    partials: Mapping[str, str]

    def render(
        self,
        context: Mapping[str, Any],
        *,
        locale: str,
        timezone: str,
        strict: bool = False,
        meter: Meter | None = None,
    ) -> dict[str, str]:
        """Every field's text. Raises `TemplateError`; `strict`, also for a variable that is shown but undefined."""
        meter = meter or Meter()
        now = utc_now()
        given = Circumstances(locale=locale, timezone=timezone, now=now, partials=self.partials, meter=meter)
        names = {"now": now.isoformat(timespec="seconds"), **context}
        said = {name: _render(template, names, given, name) for name, template in self.fields.items()}
        if strict and meter.undefined:
            raise TemplateError("", f"Undefined: {', '.join(meter.undefined)}.")
        return said


def compile_fields(source: Mapping[str, str], *, partials: Mapping[str, str]) -> Compiled:
    """Parse every field that holds Liquid. Raises `TemplateError` with the field's pointer."""
    return Compiled(
        {name: parse(KINDS[name], text, f"/{name}") for name, text in source.items() if name in KINDS}, partials
    )


def render_line(source: str, context: Mapping[str, Any], *, locale: str = "en", timezone: str = "UTC") -> str:
    """One line of text from Liquid, such as the key of a digest. Raises `TemplateError`."""
    template = parse(Kind.LINE, source)
    given = Circumstances(locale=fallbacks(locale)[0], timezone=timezone, now=utc_now(), partials={}, meter=Meter())
    return _render(template, context, given, "").strip()


def _render(template: BoundTemplate, names: Mapping[str, Any], given: Circumstances, field: str) -> str:
    context = Context(template, globals=names, given=given)
    buffer = context.get_buffer()
    pointer = f"/{field}" if field else ""
    try:
        template.render_with_context(context, buffer)
    except BREAKAGES as error:
        raise TemplateError(pointer, sentence(error)) from None
    except MemoryError:
        raise TemplateError(pointer, f"It says more than {MAX_OUTPUT_BYTES // 1024} KiB.") from None
    return buffer.getvalue()
