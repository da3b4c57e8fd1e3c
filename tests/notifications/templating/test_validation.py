"""What is wrong with a template is found, and told where it stands, before it is kept."""

from typing import Any

import pytest

from notifications.templating.stored import references_in, variants_faults
from notifications.templating.validation import References, validate_line, validate_template


@pytest.mark.parametrize(
    ("raw", "pointer", "detail"),
    [
        ({"body": "{% if %}x{% endif %}"}, "/body", "Missing expression"),
        ({"body": "a\nb {% if data.x %}"}, "/body", "endif"),
        ({"body": "{{ data.x | shout }}"}, "/body", "no filter shout (line 1)"),
        ({"body": "x\n{{ dta.x }}"}, "/body", "Undefined variable dta (line 2)"),
        ({"title": "{% for i in items %}{{ i.x }}{{ j }}{% endfor %}"}, "/title", "Undefined variable j"),
        ({"body": "{% include 'x' %}"}, "/body", "include"),
        ({"bdy": "x"}, "/bdy", "Unknown field"),
        ({"body": 3}, "/body", "Must be text"),
        ({"body": " "}, "", "Says nothing"),
        ({"body": "a\x00"}, "/body", "NUL"),
        ({"subject": "x"}, "/subject", "Unknown field"),
        ({"html": "x", "title": "y"}, "/html", "Unknown field"),
        ({}, "", "Says nothing"),
        ([], "", "Must be the fields"),
        ("a b", "", "letters"),
        ({"locales": {}}, "/locales", "1 to"),
        ({"locales": {"de": {"body": "x"}}}, "/locales", "Needs a default"),
        ({"locales": {"default": {"body": "x"}, "de_at": {"body": "x"}}}, "/locales/de_at", "de-AT"),
        ({"locales": {"default": {"body": "x"}, "!": {"body": "x"}}}, "/locales/!", "Not a locale"),
        ({"locales": {"default": {"body": "{{ x }}"}}}, "/locales/default/body", "Undefined variable x"),
        ({"locales": {"default": {"body": "x"}}, "body": "y"}, "/body", "beside locales"),
    ],
)
def test_a_fault_and_where_it_is(raw: Any, pointer: str, detail: str) -> None:
    faults = [fault for fault in validate_template(raw, "in_app") if fault.pointer == pointer]
    assert any(detail in fault.detail for fault in faults), validate_template(raw, "in_app")


@pytest.mark.parametrize(
    "raw",
    [
        "order-shipped",
        {"title": "{{ actor.name }} commented", "body": "{{ data.text }}"},
        {"body": "{% assign a = data.x %}{{ a }}{% capture b %}{% endcapture %}{{ b }}{% increment c %}"},
        {"body": "{% for item in items %}{{ forloop.index }} {{ item.data.text }}{% endfor %}"},
        {"body": "{% raw %}{{ anything }}{% endraw %}{% comment %}{{ anything }}{% endcomment %}{% # note %}"},
        {"locales": {"default": {"title": "x"}, "zh-Hant-TW": {"title": "y"}, "de": {"title": "z"}}},
    ],
)
def test_what_is_right_has_no_faults(raw: Any) -> None:
    assert validate_template(raw, "in_app") == []


def test_mails_have_more_fields() -> None:
    assert validate_template({"subject": "s", "html": "<p>x</p>", "layout": "l"}, "email") == []
    assert [fault.pointer for fault in validate_template({"html": "x", "body": "y"}, "email")] == ["/html"]


def test_a_line() -> None:
    assert validate_line("{{ data.thread }}") == []
    assert [fault.pointer for fault in validate_line("{{ thread }}", "/digest_key")] == ["/digest_key"]
    assert validate_line(3)


def test_kinds_of_stored_templates() -> None:
    channels = {"email", "in_app"}
    assert (
        variants_faults(
            "template", {"email": {"default": {"subject": "x"}}, "default": {"default": {"title": "x"}}}, channels
        )
        == []
    )
    assert [f.pointer for f in variants_faults("template", {"fax": {"default": {"title": "x"}}}, channels)] == [
        "/variants/fax"
    ]
    assert [f.pointer for f in variants_faults("template", {"email": {"default": {"body": "{{"}}}, channels)] == [
        "/variants/email/default/body"
    ]
    assert variants_faults("layout", {"default": {"html": "<p>{{ content }}</p>"}}, channels) == []
    assert [f.pointer for f in variants_faults("layout", {"default": {"html": "<p></p>"}}, channels)] == [
        "/variants/default/html"
    ]
    assert variants_faults("partial", {"default": {"text": "{{ anything }}"}}, channels) == []
    assert variants_faults("partial", {"default": {"html": "x"}}, channels)
    assert variants_faults("template", {}, channels)
    long = {"default": {"default": {"body": "x" * 120_000}, **{f"d{a}": {"body": "x" * 120_000} for a in "eva"}}}
    assert "together" in variants_faults("template", long, channels)[0].detail


def test_references() -> None:
    found = references_in(
        "template",
        {
            "email": {"default": {"body": "{% if data.x %}{% render 'a' %}{% endif %}", "layout": "l"}},
            "default": {"default": {"title": "{% for i in items %}{% render 'b', i: i %}{% endfor %}"}},
        },
    )
    assert found == References(frozenset({"l"}), frozenset({"a", "b"}))
