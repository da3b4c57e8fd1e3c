"""What a template would say to somebody, composed as it would be sent, and sent by nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from delivery.transports.base import Content, PermanentFailure
from delivery.transports.email.message import compose
from notifications.conf import conf
from notifications.errors import Fault, Invalid
from notifications.template_selectors import settings_of
from notifications.templating.errors import TemplateError
from notifications.templating.fields import EMAIL
from notifications.templating.library import Library
from notifications.templating.reading import read_library
from notifications.templating.rendering import render_preview
from notifications.templating.sample import Sample, sample_context
from notifications.templating.stored import references_in, variants_faults
from notifications.templating.validation import references_of, validate_template

_SAMPLE_MAIL: Final = {
    "subject": "A sample mail",
    "body": "Hello {{ recipient.name | default: 'Ada' }},\n\nthis is what a mail looks like **in this layout**: a paragraph, "
    "[a link](https://example.com/), and a list:\n\n- one\n- two\n\n> A quotation.",
    "action_url": "https://example.com/",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`subject`, `html` and `text` are an email's alone."""

    title: str
    body: str
    action_url: str | None
    subject: str | None
    html: str | None
    text: str | None
    locale: str
    undefined: tuple[str, ...]
    own_html: str | None
    """Before it was sanitised; what a real notification would carry."""


def preview_template(project_id: UUID, template: Mapping[str, Any] | str, *, channel: str, sample: Sample) -> Shown:
    """With the project's own library, brand and locale. Raises `Invalid`, with pointers into `/template` for one in line."""
    if faults := validate_template(template, channel):
        raise Invalid([Fault(f"/template{fault.pointer}", fault.detail) for fault in faults])
    if isinstance(template, str):
        keys = {template}
    else:
        variants = template.get("locales", {"default": template}).values()
        found = [references_of(fields) for fields in variants]
        keys = {key for references in found for key in references.layouts | references.partials}
    settings = settings_of(project_id)
    try:
        return show_template(
            template,
            channel=channel,
            context=sample_context(sample, settings.project, settings),
            locale=sample.locale,
            timezone=sample.timezone or settings.timezone,
            default_locale=settings.default_locale,
            library=read_library(project_id, keys),
        )
    except TemplateError as error:
        raise Invalid([Fault(f"/template{error.pointer}", error.detail)]) from None


def preview_draft(
    project_id: UUID, *, kind: str, key: str, variants: Mapping[str, Any], channel: str, sample: Sample
) -> Shown:
    """A version that is being written, of any kind: a layout around a sample mail, a partial by itself. Raises `Invalid`."""
    if faults := variants_faults(kind, variants, conf().channels):
        raise Invalid(faults)
    references = references_in(kind, variants)
    library = read_library(project_id, references.layouts | references.partials)
    template: Mapping[str, Any] | str = key
    if kind == "layout":
        library = replace(library, layouts={**library.layouts, key: variants})
        template, channel = {**_SAMPLE_MAIL, "layout": key}, EMAIL
    elif kind == "partial":
        template, channel = {"locales": {name: {"html": said["text"]} for name, said in variants.items()}}, EMAIL
    else:
        library = replace(library, templates={key: variants})
    settings = settings_of(project_id)
    try:
        return show_template(
            template,
            channel=channel,
            context=sample_context(sample, settings.project, settings),
            locale=sample.locale,
            timezone=sample.timezone or settings.timezone,
            default_locale=settings.default_locale,
            library=library,
        )
    except TemplateError as error:
        raise Invalid([Fault(error.pointer, error.detail)]) from None


def show_template(
    template: Mapping[str, Any] | str,
    *,
    channel: str,
    context: Mapping[str, Any],
    locale: str | None,
    timezone: str | None,
    default_locale: str,
    library: Library,
) -> Shown:
    """Render and compose. Raises `TemplateError`."""
    preview = render_preview(
        template,
        channel=channel,
        context=context,
        locale=locale,
        timezone=timezone,
        default_locale=default_locale,
        library=library,
    )
    said, mail = preview.content, None
    if channel == EMAIL:
        try:
            mail = compose(Content(title=said.title, body=said.body, action_url=said.action_url, html=said.html))
        except PermanentFailure as failure:
            raise TemplateError("/html", str(failure.response.get("detail", failure.reason))) from None
    return Shown(
        title=said.title,
        body=said.body,
        action_url=said.action_url,
        subject=mail.subject if mail is not None else None,
        html=mail.html if mail is not None else None,
        text=mail.text if mail is not None else None,
        locale=preview.locale,
        undefined=preview.undefined,
        own_html=said.html,
    )
