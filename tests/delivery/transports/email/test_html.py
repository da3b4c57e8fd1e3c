"""Mails of HTML that a template made: sanitised, inlined, with a text; and HTML that attacks the parsers."""

import re

import pytest

from delivery.transports.base import Content, PermanentFailure
from delivery.transports.email.html_text import text_of_html
from delivery.transports.email.message import Composed, compose
from tests.delivery.transports.email.test_message import body_of, read_back, render


def mail(html: str, **changes: str) -> Composed:
    return compose(Content(title="t", body="", html=html, **changes))


def test_a_mail_of_html() -> None:
    html = '<style>.x { color: #aa0000 } @media (max-width: 1px) { .x { color: red !important } }</style><p class="x">Hi <b>Ada</b></p>'
    message = read_back(
        render(Content(title="Subject", body="not shown", action_url="https://example.com/", html=html))
    )
    assert message["subject"] == "Subject"
    assert body_of(message, "plain").strip() == "Hi Ada"
    shown = body_of(message, "html")
    assert re.search(r'<p class="x" style="[^"]*color: #aa0000', shown)
    assert "@media (max-width: 1px)" in shown
    assert "not shown" not in shown
    assert 'class="card"' in shown


def test_a_page_of_its_own_is_not_framed() -> None:
    shown = mail(
        "<!DOCTYPE html><html><head><title>x</title><style>p{color:red}</style></head><body><p>Hi</p></body></html>"
    ).html
    assert 'class="card"' not in shown
    assert re.search(r'<p style="color:\s*red;?">Hi</p>', shown)
    assert shown.count("<title>") == 1


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        '<a href="javascript:alert(1)">x</a>',
        '<img src="data:text/html,x">',
        "<iframe src=https://example.com></iframe>",
        "<form action=https://example.com><input name=password></form>",
        "<svg onload=alert(1)></svg>",
        "<object data=https://example.com></object>",
        "<link rel=stylesheet href=https://example.com/x.css>",
        "<meta http-equiv=refresh content='0;url=https://example.com'>",
        "<base href=https://example.com>",
        '<p style="background: url(https://example.com/t.png)">x</p>',
        '<p style="width: expression(alert(1))">x</p>',
        "<style>@import 'https://example.com/x.css'; p { color: red }</style><p>x</p>",
        "<!--[if mso]><script>alert(1)</script><![endif]-->",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    ],
)
def test_what_would_run_or_load_goes(html: str) -> None:
    shown = mail(f"<p>before</p>{html}<p>after</p>").html
    inside = shown[shown.index("before") :]
    assert not re.search(
        r"<(script|iframe|form|input|svg|object|link|meta|base)|\son\w+=|javascript:|data:|url\(|expression|@import",
        inside,
    )
    assert "after" in inside or "<style></math>" in html  # that one is never closed


def test_images_within_the_mail_only_where_they_are_enclosed() -> None:
    shown = compose(Content(title="t", body="", html='<img src="cid:a"><img src="cid:b">'), frozenset({"a"})).html
    assert "cid:a" in shown
    assert "cid:b" not in shown


def test_a_style_that_is_not_understood_is_left_out_alone() -> None:
    shown = mail('<p style="color: red; nonsense; width: (; margin: 0 auto !important">x</p>').html
    style = re.search(r'<p style="([^"]*)"', shown)
    assert style is not None
    assert "color: red" in style[1]
    assert "nonsense" not in style[1]


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000,
        "<div><table></div>" * 10_000,
        "<b>" * 20_000 + "x" + "</b>" * 20_000,
        "<div><div></span></div></span>" * 20_000,
        "<p>" * 60_000,
        "x" * 600_000,
        "<style>" + "p { color: red } " * 1000 + "</style>",
        "<style>" + "p, " * 3000 + "p { color: red }</style>",
        "".join(f"<b title={n}>" for n in range(79)) + "<p title=" + "x" * 60 + ">" * 1 + "<p>x" * 9_900 + "</p>" * 90,
    ],
)
def test_html_that_attacks_the_parsers_is_refused_or_harmless(html: str) -> None:
    """Unbounded, the first of these ends the process: both parsers go down by recursion."""
    try:
        outcome = mail(html).html
    except PermanentFailure as failure:
        outcome = f"{failure.reason}: {failure.response['detail']}"
    assert outcome.startswith(("unrenderable: ", "<!DOCTYPE html>"))
    assert len(outcome) < 2 * 1024 * 1024


def test_deep_but_honest_tables_are_fine() -> None:
    assert "x" in mail("<table><tr><td>" * 30 + "x" + "</td></tr></table>" * 30).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Title</h1><p>One\n  two</p><p>three<br>four</p>", "Title\n\nOne two\n\nthree\nfour"),
        ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne"),
        ('<a href="https://example.com/x?a=1&amp;b=2">here</a>', "here (https://example.com/x?a=1&b=2)"),
        ('<a href="https://example.com">https://example.com</a>', "https://example.com"),
        ('<a href="mailto:a@example.com">a@example.com</a>', "a@example.com"),
        ('<img src="https://example.com/x.png" alt="A picture"> x', "A picture x"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('<div style="display:none">hidden<br></div><p>seen</p>', "seen"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>a</p><hr><p>b</p>", "a\n\n" + "-" * 20 + "\n\nb"),
        ("a&nbsp;b &lt;c&gt;", "a\xa0b <c>"),
        ("", ""),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    assert text_of_html(html) == text
