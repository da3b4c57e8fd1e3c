"""Which variant is chosen, and what becomes of it."""

from typing import Any

import pytest

from notifications.templating.errors import TemplateError
from notifications.templating.library import Library
from notifications.templating.rendering import RenderedContent, render_content, render_preview
from tests.notifications.templating.saying import body

CONTEXT: dict[str, Any] = {"data": {"n": 3, "url": "https://example.com/17"}, "recipient": {"name": "Ada"}}


def say(template: Any, *, channel: str = "email", library: Library | None = None, **changes: Any) -> RenderedContent:
    given: dict[str, Any] = {"context": CONTEXT, "locale": "en", "timezone": "UTC", "default_locale": "en", **changes}
    return render_content(template, channel=channel, library=library or Library(), **given)


@pytest.mark.parametrize(
    ("locale", "default_locale", "chosen"),
    [
        ("de-AT", "en", "Servus"),
        ("de_at", "en", "Servus"),
        ("de-CH", "en", "Hallo"),
        ("de", "en", "Hallo"),
        ("fr-CA", "en", "Hello"),
        ("fr", "de-AT", "Servus"),
        ("it", "de-CH", "Hallo"),
        (None, "de", "Hallo"),
        (None, "en", "Hello"),
        ("xx", "yy", "Hello"),
    ],
)
def test_locales_fall_back(locale: str | None, default_locale: str, chosen: str) -> None:
    template = {"locales": {"default": {"title": "Hello"}, "de": {"title": "Hallo"}, "de-AT": {"title": "Servus"}}}
    assert say(template, locale=locale, default_locale=default_locale).title == chosen


def test_a_stored_template_by_its_key_and_channel() -> None:
    library = Library(
        templates={"t": {"email": {"default": {"subject": "mail"}}, "default": {"default": {"title": "any"}}}}
    )
    assert say("t", library=library).title == "mail"
    assert say("t", channel="in_app", library=library).title == "any"
    only_mail = Library(templates={"t": {"email": {"default": {"subject": "mail"}}}})
    with pytest.raises(TemplateError, match="says nothing for sms"):
        say("t", channel="sms", library=only_mail)
    with pytest.raises(TemplateError, match="There is no template 'u'"):
        say("u", library=library)


def test_dates_speak_the_language_of_the_text_that_was_chosen() -> None:
    template = {"locales": {"default": {"title": "{{ data.at | date }}"}, "de": {"title": "{{ data.at | date }}"}}}
    context = {"data": {"at": "2026-03-31"}}
    assert say(template, locale="de-AT", context=context).title == "31.03.2026"
    assert say(template, locale="fr", context=context).title == "Mar 31, 2026"
    assert say(template, locale="en-GB", context=context).title == "31 Mar 2026"


def test_every_field() -> None:
    said = say(
        {"subject": "{{ data.n }} new", "body": "Hello *{{ recipient.name }}*", "action_url": "{{ data.url }}?x=1"}
    )
    assert said == RenderedContent(
        title="3 new", body="Hello *Ada*", action_url="https://example.com/17?x=1", html=None
    )


def test_an_address_that_leads_nowhere_is_refused_and_none_is_none() -> None:
    assert say({"title": "t", "action_url": "{{ data.nothing }}"}).action_url is None
    for evil in ("javascript:alert(1)", "data:text/html,x", "//example.com", "https://a b"):
        with pytest.raises(TemplateError) as caught:
            say({"title": "t", "action_url": "{{ data.url }}"}, context={"data": {"url": evil}})
        assert caught.value.pointer == "/action_url"


def test_layouts_partials_and_brand() -> None:
    library = Library(
        layouts={
            "frame": {"default": {"html": "<h1>{{ title }}</h1>{{ content }}{% render 'foot', who: brand.name %}"}}
        },
        partials={"foot": {"default": {"text": "<p>by {{ who }}</p>"}, "de": {"text": "<p>von {{ who }}</p>"}}},
    )
    context = {**CONTEXT, "brand": {"name": "A & B"}}
    template = {"subject": "S", "body": "**bold** {{ recipient.name }}", "layout": "frame"}
    said = say(template, library=library, context=context, locale="de")
    assert said.html == "<h1>S</h1><p><strong>bold</strong> Ada</p>\n<p>von A&#32;&#38;&#32;B</p>"
    assert said.body == "**bold** Ada"
    own = say({"subject": "S", "html": "<p>{{ recipient.name }}</p>", "layout": "frame"}, library=library)
    assert own.html == "<h1>S</h1><p>Ada</p><p>by </p>"
    with pytest.raises(TemplateError, match="There is no layout 'nowhere'"):
        say({"subject": "S", "body": "b", "layout": "nowhere"}, library=library)


def test_the_built_in_layout_shows_the_brand_in_the_recipients_language() -> None:
    context = {"brand": {"name": "ACME", "color": "#aa0000"}, "unsubscribe_url": "https://example.com/u"}
    template = {"subject": "S", "body": "b", "layout": "default", "action_url": "https://example.com/"}
    for locale, word in (("en", "Unsubscribe"), ("de-AT", "Abbestellen"), ("fr", "Se désabonner"), ("es", "Cancelar")):
        html = say(template, context=context, locale=locale, default_locale=locale).html
        assert html is not None
        assert "ACME" in html
        assert "#aa0000" in html
        assert word in html


def test_a_preview_tells_what_is_undefined_and_no_more() -> None:
    source = (
        "{{ data.nope }} {{ data.no | default: 'x' }} {% if data.maybe %}{% endif %}{{ data.n }}"
        "{% for item in missing %}{% endfor %}{{ recipient.a.b | upcase }}"
    )
    preview = render_preview({"body": source}, channel="email", context=CONTEXT, locale=None, timezone=None)
    assert preview.undefined == ("data.nope", "missing", "recipient.a.b")


def test_what_a_partial_sees_is_what_it_is_given() -> None:
    library = Library(partials={"p": {"default": {"text": "{{ x }}|{{ secret }}"}}})
    assert body("{% assign secret = 's' %}{% render 'p', x: 1 %}", library=library) == "1|"


def test_values_as_text() -> None:
    shown = body(
        "{{ data.list }} {{ data.yes }} {{ data.none }} {{ data.float }} {{ data.object | json }} {{ (1..3) }}",
        data={"list": [1, "a", None], "yes": True, "none": None, "float": 1.5, "object": {"a": [1]}},
    )
    assert shown == '1a true  1.5 {"a":\\[1\\]} 1..3'
