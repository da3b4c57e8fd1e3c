"""A delivery as the bytes of an email, without the one header that belongs to the moment of sending.

What depends on the content alone (subject, text, HTML, and their encoding by the standard library) is made once and
kept, because a broadcast says the same to many; what depends on the recipient is a few short lines written by hand.
The tests read both back with the standard library's parser.
"""

import hashlib
import re
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from functools import cached_property, lru_cache
from urllib.parse import quote
from uuid import UUID

from css_inline import InlineError

from delivery.transports.base import Attachment, Content, Outbound, PermanentFailure, SigningKey
from delivery.transports.email.addresses import InvalidAddress, Mailbox, parse_mailbox
from delivery.transports.email.footer import CTE, html_with_footer, language_of, text_with_footer, with_address
from delivery.transports.email.frame import frame_html, frame_own_html
from delivery.transports.email.html import is_page, sanitise, split_styles
from delivery.transports.email.html_text import text_of_html
from delivery.transports.email.markdown import parse, to_html, to_text

ACTION_LABEL = "Open"
NO_SUBJECT = "Notification"
# Seven bits, whatever the next server offers; lines of RFC 2045's length.
BODY_POLICY = SMTP.clone(cte_type="7bit")
_MAX_CACHED_CHARACTERS = 64 * 1024
_LONGEST_URL = 998 - len("List-Unsubscribe: <>")  # a line of RFC 5322
_NONE: frozenset[str] = frozenset()
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class Tail(bytes):
    """The shared part of a message: from the subject to the end. What signing needs of it is found once."""

    @cached_property
    def headers(self) -> bytes:
        """The lines before the body."""
        return self[: self.index(b"\r\n\r\n") + 2]

    @cached_property
    def body_hash(self) -> bytes:
        """DKIM's `bh=`."""
        from delivery.transports.email.dkim import hash_body  # 14 MB that only who signs has to pay

        return hash_body(self[self.index(b"\r\n\r\n") + 4 :])


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailPayload:
    """One message for one recipient; `head` lacks `Date`, `tail` begins with the subject and is shared."""

    delivery_id: str
    recipient: Mailbox = field(repr=False)
    head: bytes = field(repr=False)
    tail: Tail = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    project_id: UUID | None = None


def render_email(outbound: Outbound, *, sender_header: str, domain: str) -> EmailPayload:
    """The message; PermanentFailure `invalid_address` or `unrenderable`."""
    try:
        recipient = parse_mailbox(outbound.address)
        tail = _tail_for(outbound)
        to = mailbox_header(outbound.recipient_name or "", recipient)
        head = (
            f"From: {sender_header}\r\n"
            f"To: {to}\r\n"
            f"Message-ID: <{outbound.delivery_id}@{domain}>\r\n"
            # Some relays replace Message-ID; this one stays.
            f"X-Carillon-Delivery: {outbound.delivery_id}\r\n"
            "Auto-Submitted: auto-generated\r\n"
            f"{_own_lines(outbound, domain)}"
        ).encode()
    except InvalidAddress:
        raise PermanentFailure("invalid_address") from None
    except UnicodeEncodeError:
        raise PermanentFailure("unrenderable") from None
    return EmailPayload(
        delivery_id=outbound.delivery_id,
        recipient=recipient,
        head=head,
        tail=tail,
        attachments=outbound.content.attachments,
        signing_keys=outbound.signing_keys,
        project_id=outbound.project_id,
    )


def _own_lines(outbound: Outbound, domain: str) -> str:
    """What only some mails have. A link is never folded: in an encoded word it would be dead."""
    lines = ""
    if outbound.thread_id is not None:
        thread = f"<thread.{outbound.thread_id}@{domain}>"
        lines = f"In-Reply-To: {thread}\r\nReferences: {thread}\r\n"
    url = outbound.unsubscribe_url
    if url is not None and len(url) <= _LONGEST_URL:
        lines += f"List-Unsubscribe: <{url}>\r\n"
        # RFC 8058 section 3.1 wants https; over anything else the link is only a page to open (RFC 2369).
        if url.startswith("https://"):
            lines += "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    return lines


def mailbox_header(name: str, mailbox: Mailbox) -> str:
    """`Name <address>`, with the name quoted or encoded as it needs to be."""
    name = _CONTROL.sub(" ", name).strip()
    if not name:
        return mailbox.spec
    return f"{_phrase(name)} <{mailbox.spec}>"


def subject_of(content: Content, text: str) -> str:
    """The title, else the first line that says something."""
    lines = (content.title, *text.splitlines())
    cleaned = (_CONTROL.sub(" ", line).strip() for line in lines)
    return next((line for line in cleaned if line), NO_SUBJECT)


def _phrase(name: str) -> str:
    if len(name) > 200 or "=?" in name or not name.isascii():
        return _encoded_words(name)
    if _PLAIN_PHRASE.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded_words(text: str, header_name: str | None = None) -> str:
    return Header(text, "utf-8", maxlinelen=76, header_name=header_name).encode(linesep="\r\n")


def _tail_for(outbound: Outbound) -> Tail:
    """The shared part, with the recipient's own address under it."""
    url, content = outbound.preferences_url, outbound.content
    if url is None or not url.isascii() or url in (content.html or content.body):
        return _tail(content, None)
    return Tail(with_address(_tail(content, language_of(outbound.locale)), url))


def _tail(content: Content, footer: str | None) -> Tail:
    images = frozenset(item.inline for item in content.attachments if item.inline) if content.attachments else _NONE
    said = (content.title, content.body, content.action_url, content.html, images, footer)
    characters = len(content.title) + len(content.body) + len(content.html or "")
    return _cached_tail(*said) if characters <= _MAX_CACHED_CHARACTERS else _render_tail(*said)


def _render_tail(
    title: str, body: str, action_url: str | None, own_html: str | None, images: frozenset[str], footer: str | None
) -> Tail:
    """`Subject`, the MIME headers and the whole body, which with a `footer` (a language) still has a place for an address."""
    content = Content(title=_CONTROL.sub(" ", title).strip(), body=body, action_url=action_url, html=own_html)
    mail = compose(content, images)
    subject = mail.subject
    plain = len(subject) <= 200 and "=?" not in subject and subject.isascii()
    header = subject if plain else _encoded_words(subject, "Subject")
    text, html, cte = mail.text, mail.html, None
    if footer is not None:
        text, html, cte = text_with_footer(text, footer), html_with_footer(html, footer), CTE
    return Tail(f"Subject: {header}\r\n".encode("ascii") + _alternatives(text, html, cte))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What a mail says, before it is encoded."""

    subject: str
    text: str
    html: str


def compose(content: Content, images: frozenset[str] = _NONE) -> Composed:
    """Subject, text and HTML of what is said. PermanentFailure `unrenderable` for HTML beyond the limits."""
    if content.html is not None:
        return _compose_own(content, content.html, images)
    tokens = parse(_CONTROL_IN_TEXT.sub("", content.body))
    text = to_text(tokens)
    subject = subject_of(content, text)
    link = _web_link(content.action_url)
    said = [part for part in (content.title, text, f"{ACTION_LABEL}: {link}" if link else "") if part]
    shown = to_html(tokens, images)
    html = frame_html(subject=subject, title=content.title, content=shown, action_url=link, action_label=ACTION_LABEL)
    return Composed(subject=subject, text="\n\n".join(said) + "\n", html=html)


def _compose_own(content: Content, own_html: str, images: frozenset[str]) -> Composed:
    css, rest = split_styles(own_html)
    shown = sanitise(rest, images)
    text = text_of_html(shown)
    subject = subject_of(content, text)
    try:
        html = frame_own_html(subject=subject, content=shown, css=css, is_page=is_page(rest))
    except InlineError:
        raise PermanentFailure("unrenderable", response={"detail": "The style sheets cannot be read."}) from None
    return Composed(subject=subject, text=text + "\n", html=html)


def _web_link(url: str | None) -> str | None:
    """What may stand behind a button; characters no URL may hold are encoded."""
    if url is None or not url.lower().startswith(("https://", "http://")):
        return None
    return _NOT_IN_URLS.sub(lambda found: quote(found[0]), url)


_cached_tail = lru_cache(maxsize=128)(_render_tail)


def _alternatives(text: str, html: str, cte: str | None) -> bytes:
    message = EmailMessage(policy=BODY_POLICY)
    message.set_content(text, cte=cte)
    message.add_alternative(html, subtype="html", cte=cte)
    # From the content, so that rendering is repeatable; no encoded part can hold a line that begins like this.
    message.set_boundary("=_" + hashlib.sha256((text + html).encode()).hexdigest()[:32])
    return message.as_bytes()
