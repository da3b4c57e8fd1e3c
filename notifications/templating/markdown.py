"""A Markdown body as HTML, where a layout wants it; what is sent is sanitised by the transport."""

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
"""CommonMark with tables and strikethrough, without raw HTML."""


def body_html(body: str) -> str:
    """The fragment."""
    return str(MARKDOWN.render(body))
