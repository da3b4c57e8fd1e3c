"""Data stays data: in every position where a variable can stand it becomes neither markup nor links nor headers."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from delivery.transports.base import Content
from delivery.transports.email.html_text import text_of_html
from delivery.transports.email.message import compose
from delivery.transports.webhook.body import encode_body
from notifications.templating.escaping import escape_html, escape_markdown
from notifications.templating.markdown import body_html
from notifications.templating.rendering import render_content
from tests.delivery.transports.outbounds import make_outbound

hostile = st.one_of(
    st.text(st.sampled_from(" \t\n\r\\`*_{}[]()#+-.!|<>&;:~=\"'/$0189azAZé\u2028\x00\x0b"), max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "x onclick=alert(1)",
            "javascript:alert(1)", "</style><script>alert(1)</script>", "--><script>x</script>", "]]><b>", "[x](http://evil.example)",
            "![x](http://evil.example/p.png)", "<http://evil.example>", "# big", "- item", "1. item", "> quote", "```\ncode\n```",
            "\n\n# big\n\n", "| a | b |\n|---|---|\n| c | d |", "a\n===", "a\n---", "    code", "\tcode", "&lt;b&gt;", "&#60;b&#62;",
            "*a*", "__b__", "~~c~~", "`d`", "[ref]: http://evil.example", "\\", "a\\\n# b", "{{ secret }}", "{% raw %}", "!", "[", "](http://evil.example)",
            "red;background:url(http://evil.example/t)", "} * { display: none", "expression(alert(1))", "\u202e\u2066", "1) x", "+ x",
        ]
    ),
)  # fmt: skip

MARKDOWN_POSITIONS = {
    "a paragraph": "{{ data.x }}", "a sentence": "before {{ data.x }} after", "strong": "**a {{ data.x }} b**", "a list": "- {{ data.x }}\n- b",
    "a quote": "> {{ data.x }}", "a link's text": "[a {{ data.x }} b](https://example.com/)", "twice": "{{ data.x }}{{ data.x }}", "after a mark": "!{{ data.x }}",
    "after a word": "word\n{{ data.x }}", "after a number": "1{{ data.x }}", "a code span": "`a {{ data.x }} b`", "echo": "{% echo data.x %}", "cycle": "{% cycle data.x, 'b' %}",
    "a loop": "{% for i in data.list %}{{ i }}\n{% endfor %}", "a filter": "{{ data.x | append: data.x | strip }}", "an assignment": "{% assign y = data.x %}{{ y }}",
    "a capture": "{% capture y %}a {{ data.x }}{% endcapture %}{{ y }}", "a partial": "{% render 'p', x: data.x %}", "default": "{{ nothing | default: data.x }}",
    "an object": "{{ data }}", "a fence": "```\n{{ data.x }}\n```",
}  # fmt: skip
HTML_POSITIONS = {
    "text": "<p>{{ x }}</p>", "an attribute": '<p title="{{ x }}">a</p>', "an attribute in single quotes": "<p title='{{ x }}'>a</p>",
    "an attribute without quotes": "<p title={{ x }}>a</p>", "an attribute's name": "<p {{ x }}>a</p>", "an attribute's name with a value": "<p {{ x }}=1>a</p>",
    "an element's name": "<{{ x }}>a</p>", "a link": '<a href="{{ x }}">a</a>', "a link without quotes": "<a href={{ x }}>a</a>", "part of a link": '<a href="https://example.com/?q={{ x }}">a</a>',
    "an image": '<img src="{{ x }}" alt="{{ x }}">', "a style": '<p style="color: {{ x }}">a</p>', "a style without quotes": "<p style={{ x }}>a</p>",
    "a style sheet": "<style>p { color: {{ x }} }</style><p>a</p>", "a script": "<script>var a = '{{ x }}'</script>", "a comment": "<!-- {{ x }} -->a", "a title": "<title>{{ x }}</title>a",
    "a handler": '<p onclick="{{ x }}">a</p>', "breaks": "<p>{{ x | newline_to_br }}</p>", "escaped": "<p>{{ x | escape }}</p>", "a capture": "{% capture y %}<b>{{ x }}</b>{% endcapture %}{{ y }}",
    "echo": "<p>{% echo x %}</p>", "cycle": "<p>{% cycle x, x %}</p>", "an object": "<p>{{ data }}</p>", "a list": "<p>{{ data.list }}</p>", "textarea": "<textarea>{{ x }}</textarea>a",
}  # fmt: skip


class Structure(HTMLParser):
    """The elements of a page with what matters of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    handle_startendtag = handle_starttag


def say(template: dict[str, Any], value: str) -> Content:
    from notifications.templating.library import Library

    library = Library(partials={"p": {"default": {"text": "{{ x }}"}}})
    context = {"x": value, "data": {"x": value, "list": [value, value]}, "secret": "hunter2"}
    said = render_content(template, channel="email", context=context, locale="en", timezone="UTC", library=library)
    return Content(title=said.title, body=said.body, action_url=said.action_url, html=said.html)


HARMLESS_WITH_LINES = {"p", "br", "td", "tr", "th"}


@pytest.mark.parametrize("position", MARKDOWN_POSITIONS)
@given(value=hostile)
def test_markdown_is_not_made_by_data(position: str, value: str) -> None:
    source = MARKDOWN_POSITIONS[position]
    plain, attacked = (Structure(body_html(say({"body": source}, text).body)) for text in ("word", value))
    more = list(attacked.elements)
    for element in plain.elements:
        if element in more:
            more.remove(element)
    one_line = not re.search(r"[\n\r\u2028\u2029]", value.strip()) and position not in (
        "a loop",
        "an object",
        "a filter",
    )
    assert set(more) <= (set() if one_line else HARMLESS_WITH_LINES), body_html(say({"body": source}, value).body)
    assert "hunter2" not in say({"body": source}, value).body
    assert {value for _, name, value in attacked.attributes if name in ("href", "src")} <= {"https://example.com/"}


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60))
@example(value="1. a_b*c [d](e) <f> &amp; `g` #h \\")
def test_markdown_shows_data_as_it_is(value: str) -> None:
    shown = text_of_html(body_html(f"a {escape_markdown(value)} b"))
    assert "".join(shown.split()) == "".join(f"a{value}b".split()).translate(
        {ord(sign): None for sign in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u2007"}
    )


@pytest.mark.parametrize("position", HTML_POSITIONS)
@given(value=hostile)
def test_html_is_not_made_by_data(position: str, value: str) -> None:
    source = HTML_POSITIONS[position]
    plain, attacked = (Structure(compose(say({"html": source}, text)).html) for text in ("word", value))
    allowed = (
        {*plain.elements, "br", "b", "p", "a", "img", "code", "pre", "s", "u", "i"}
        if position == "an element's name"
        else {*plain.elements, "br"}
    )
    assert set(attacked.elements) <= allowed
    assert not {"script", "iframe", "textarea", "object", "form"} & set(attacked.elements)
    for element, name, given_value in attacked.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert not re.match(r"\s*(javascript|data|vbscript):", given_value, re.IGNORECASE), (element, given_value)
        if name == "style":
            assert not re.search(r"(url|expression)\s*\(|@import", given_value, re.IGNORECASE)


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
@example(value="<b>&amp;\"'`=")
def test_html_shows_data_as_it_is(value: str) -> None:
    class Words(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data

    words = Words()
    words.feed(f"<p>{escape_html(value)}</p>")
    words.close()
    assert words.said == value


@given(value=hostile)
def test_a_subject_is_one_line(value: str) -> None:
    said = say({"subject": "Hi {{ x }}", "body": "b"}, value)
    assert said.title.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", said.title)
    assert said.title.startswith("Hi")


def test_a_webhook_says_what_the_template_said() -> None:
    said = say({"title": "{{ x }}", "body": "{{ x }}"}, "<b>*x*</b>")
    encoded = encode_body(make_outbound(content=said))
    assert b'"title":"<b>*x*</b>"' in encoded
    assert b'"body":"\\\\<b>\\\\*x\\\\*\\\\</b>"' in encoded
