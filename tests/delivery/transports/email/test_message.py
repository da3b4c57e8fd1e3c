"""What is written by hand and by the standard library is read back by the standard library's parser."""

import email.policy
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from delivery.transports.base import Content, PermanentFailure
from delivery.transports.email.addresses import parse_mailbox
from delivery.transports.email.message import EmailPayload, mailbox_header, render_email
from tests.delivery.transports.outbounds import make_outbound

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"]), max_size=300)


def render(content: Content | None = None, **changes: object) -> EmailPayload:
    if content is not None:
        changes["content"] = content
    sender = mailbox_header("Carillon", parse_mailbox("no-reply@carillon.example"))
    return render_email(make_outbound(**changes), sender_header=sender, domain="carillon.example")


def read_back(payload: EmailPayload) -> EmailMessage:
    message = message_from_bytes(payload.head + payload.tail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@given(title=words, body=words)
def test_subject_and_text_are_read_back_as_they_were_given(title: str, body: str) -> None:
    message = read_back(render(Content(title=title, body=body)))
    if title.strip():
        assert message["subject"] == title.strip()
        assert title.strip() in body_of(message, "plain")


@given(name=words)
@example(name="=?utf-8?q?forged?=")
@example(name='Ada "the first" \\ Lovelace, Countess')
def test_names_are_read_back_as_they_were_given(name: str) -> None:
    payload = render(recipient_name=name)
    # The older parser: the newer one of Python 3.11 puts a space between the encoded words of a long name.
    shown, spec = parseaddr(str(message_from_bytes(payload.head)["to"]))
    assert spec == "ada@example.com"
    decoded = str(make_header(decode_header(shown)))
    assert " ".join(decoded.split()) == " ".join(name.split())


@given(title=st.text(max_size=100), name=st.text(max_size=100), body=st.text(max_size=300))
def test_nothing_a_caller_says_makes_a_header(title: str, name: str, body: str) -> None:
    try:
        payload = render(Content(title=title, body=body), recipient_name=name)
    except PermanentFailure:
        assume(False)
    assert read_back(payload).keys() == [
        "From", "To", "Message-ID", "X-Carillon-Delivery", "Auto-Submitted", "Subject", "MIME-Version", "Content-Type",
    ]  # fmt: skip


@given(title=words, body=words)
def test_every_line_is_short_ascii_and_ends_well(title: str, body: str) -> None:
    payload = render(Content(title=title, body=body))
    wire = payload.head + payload.tail
    assert wire.isascii()
    assert wire.endswith(b"\r\n")
    lines = wire.split(b"\r\n")
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in lines)


def test_an_injected_header_stays_in_the_subject() -> None:
    message = read_back(render(Content(title="Hi\r\nBcc: all@example.com\x00", body="x")))
    assert message["subject"] == "Hi Bcc: all@example.com"
    assert message["bcc"] is None


@pytest.mark.parametrize(
    ("title", "body", "subject"),
    [
        ("", "# Hello **you**\n\nmore", "Hello you"),
        ("  ", "\n\nfirst\nsecond", "first"),
        ("", "", "Notification"),
        ("=?utf-8?q?forged?=", "", "=?utf-8?q?forged?="),
    ],
)
def test_subject(title: str, body: str, subject: str) -> None:
    assert read_back(render(Content(title=title, body=body)))["subject"] == subject


def test_both_parts_say_the_same() -> None:
    content = Content(
        title="Shipped", body="Your *kettle* <script>alert(1)</script> left, see [it](https://shop.example/?a=1&b=2)."
    )
    message = read_back(render(content))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "kettle <script>alert(1)</script> left, see it (https://shop.example/?a=1&b=2)." in body_of(message, "plain")
    html = body_of(message, "html")
    assert "<script" not in html
    assert 'href="https://shop.example/?a=1&amp;b=2"' in html
    assert "@media (prefers-color-scheme: dark)" in html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "  ", "app://open"])
def test_only_web_addresses_become_a_button(url: str) -> None:
    message = read_back(render(Content(title="t", body="b", action_url=url)))
    assert 'class="button"' not in body_of(message, "html")
    assert url.strip() == "" or url not in body_of(message, "plain")


def test_a_button_cannot_break_out_of_its_frame() -> None:
    content = Content(title='<img src=x onerror="a()">', body="b", action_url='https://x.example/"><script>1</script>')
    html = body_of(read_back(render(content)), "html")
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.parametrize(
    "body",
    [
        "[x](javascript:alert(1))",
        "<a href='javascript:1'>x</a>",
        "![x](data:image/svg+xml;base64,AAAA)",
        "[x](vbscript:a)",
    ],
)
def test_dangerous_links_do_not_survive(body: str) -> None:
    html = body_of(read_back(render(Content(title="t", body=body))), "html")
    assert 'href="javascript' not in html
    assert "<a href='" not in html
    assert 'src="data' not in html
    assert 'href="vbscript' not in html


@pytest.mark.parametrize("content", [Content(title="\ud800", body=""), Content(title="", body="a\udfffb")])
def test_half_characters_cannot_be_said(content: Content) -> None:
    with pytest.raises(PermanentFailure) as caught:
        render(content)
    assert caught.value.reason == "unrenderable"


def test_a_broadcast_shares_its_body() -> None:
    first, second = render(address="a@example.com"), render(address="b@example.com")
    assert first.tail is second.tail
    assert first.head != second.head


def test_a_huge_body_is_rendered_but_not_kept() -> None:
    content = Content(title="big", body="word " * 20_000)
    assert render(content).tail is not render(content).tail
    assert render(content) == render(content)
