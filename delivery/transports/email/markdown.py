"""Markdown to what an email can show: safe HTML, and text for those who read without."""

from functools import lru_cache
from typing import Any, Final

import nh3
from markdown_it.token import Token

from delivery.transports.email.plaintext import text_of
from notifications.templating.markdown import MARKDOWN as _markdown

# Raw HTML is already off; this is the second lock, and the one that judges links.
_RULES: Final[dict[str, Any]] = {
    "tags": {
        "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
        "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    },
    "attributes": {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}},
    "link_rel": "noopener noreferrer",
}  # fmt: skip
SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
"""Where links and images may lead."""
_cleaner = nh3.Cleaner(**_RULES, url_schemes=set(SCHEMES))


def parse(source: str) -> list[Token]:
    """CommonMark with tables and strikethrough."""
    return _markdown.parse(source)


def to_html(tokens: list[Token], images: frozenset[str] = frozenset()) -> str:
    """Sanitised HTML fragment; `images` are the content ids that an image may show as `cid:...`."""
    cleaner = _cleaner_for(images) if images else _cleaner
    return cleaner.clean(_markdown.renderer.render(tokens, _markdown.options, {}))


@lru_cache(maxsize=64)
def _cleaner_for(images: frozenset[str]) -> nh3.Cleaner:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        enclosed = value[:4].lower() == "cid:"
        return None if enclosed and not (tag == "img" and attribute == "src" and value[4:] in images) else value

    return nh3.Cleaner(**_RULES, url_schemes={*SCHEMES, "cid"}, attribute_filter=keep)


def to_text(tokens: list[Token]) -> str:
    """Readable text; links keep their addresses."""
    return text_of(tokens)
