"""Markdown as text, and how long hostile Markdown takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.transports.email.markdown import parse, to_html, to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello **Ada**,\nhow *are* you?", "Hello Ada,\nhow are you?"),
        ("# Title\n\nText", "Title\n\nText"),
        ("- a\n- b\n  - c\n\nafter", "- a\n- b\n  - c\n\nafter"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("- a\n- b\n\n1. c\n2. d", "- a\n- b\n\n1. c\n2. d"),
        ("- two\n\n  paragraphs", "- two\n\n  paragraphs"),
        ("> quoted\n> twice\n\nnot", "> quoted\n> twice\n\nnot"),
        ("> a\n>\n> b", "> a\n>\n> b"),
        ("a\n\n---\n\nb", "a\n\n--------------------\n\nb"),
        ("```\ncode\n  more\n```", "    code\n      more"),
        ("see `x`", "see x"),
        ("[site](https://a.example/)", "site (https://a.example/)"),
        ("<https://a.example/>", "https://a.example/"),
        ("<ada@example.com>", "ada@example.com"),
        ("![a cat](https://a.example/cat.png)", "a cat"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nafter", "a | b\n1 | 2\n\nafter"),
        ("a &amp; b \\* c", "a & b * c"),
        ("<b>raw</b>", "<b>raw</b>"),
        ("~~gone~~", "gone"),
        ("", ""),
    ],
)
def test_text(source: str, text: str) -> None:
    assert to_text(parse(source)) == text


@given(st.text(alphabet="ab \n\t-*_#>|`[]()!<1.~:\\&", max_size=200))
def test_whatever_is_written_can_be_said(source: str) -> None:
    tokens = parse(source)
    assert isinstance(to_text(tokens), str)
    assert "<script" not in to_html(tokens)


@pytest.mark.parametrize("source", ["[" * 5000, "> " * 5000, "*a **a " * 2000, "- " * 5000, "![[" * 3000, "|a" * 5000])
def test_deeply_nested_markdown_is_only_text(source: str) -> None:
    tokens = parse(source)
    to_text(tokens)
    assert len(to_html(tokens)) < 100 * len(source)
