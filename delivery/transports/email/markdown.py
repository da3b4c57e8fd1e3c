"""Markdown to what an email can show: safe HTML, and text for those who read without."""

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from delivery.transports.email.plaintext import text_of

_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

# Raw HTML is already off; this is the second lock, and the one that judges links.
_cleaner = nh3.Cleaner(
    tags={
        "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
        "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    },
    attributes={"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="noopener noreferrer",
)  # fmt: skip


def parse(source: str) -> list[Token]:
    """CommonMark with tables and strikethrough."""
    return _markdown.parse(source)


def to_html(tokens: list[Token]) -> str:
    """Sanitised HTML fragment."""
    return _cleaner.clean(_markdown.renderer.render(tokens, _markdown.options, {}))


def to_text(tokens: list[Token]) -> str:
    """Readable text; links keep their addresses."""
    return text_of(tokens)
