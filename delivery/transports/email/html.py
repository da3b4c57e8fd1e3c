"""HTML that a template made, as a mail may show it: sanitised, its style sheets apart, bounded in what it costs to read.

Elements and attributes are those that mail programs show; links and images go to http, https, mailto and tel; whatever would
load or run something else goes. Both parsers that follow go down the tree by recursion, so its depth is bounded first.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import nh3

from delivery.transports.base import PermanentFailure
from delivery.transports.email.markdown import SCHEMES

MAX_HTML: Final = 512 * 1024
"""Characters, of what is given and of what sanitising makes of it."""
MAX_CSS: Final = 32 * 1024
MAX_DECLARATION: Final = 300
MAX_RULES: Final = 400
MAX_COMMAS: Final = 2000
MAX_TAGS: Final = 10_000
MAX_DEPTH: Final = 80

_STYLE: Final = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.IGNORECASE | re.DOTALL)
_BODY: Final = re.compile(r"<body[\s>]", re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_CLOSE_THEMSELVES: Final = {
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "p", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "wbr",
}  # fmt: skip
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOADS: Final = re.compile(r"url\s*\(|expression|@import|javascript:|behavior|-moz-binding", re.IGNORECASE)
_DECLARATION: Final = re.compile(
    r"""\s*(-?[a-z][\w-]*\s*:\s*(?:[\w\s#%.,+/-]|\([\w\s#%.,+/-]*\)|'[\w\s.,-]*'|"[\w\s.,-]*")+(?:!\s*important\s*)?)""",
    re.ASCII | re.IGNORECASE,
)
_REFERENCE: Final = re.compile(r"&#?\w*;?")
_IMPORT: Final = re.compile(r"@import[^;]*;?", re.IGNORECASE)

_RULES: Final[dict[str, Any]] = {
    "tags": {
        "a", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "div", "dl", "dt", "em", "font", "h1",
        "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup",
        "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
    },
    "attributes": {
        "*": {"class", "style", "align", "valign", "width", "height", "bgcolor", "dir", "lang", "title", "role"},
        "a": {"href"},
        "col": {"span"},
        "font": {"color", "face", "size"},
        "img": {"src", "alt", "border"},
        "ol": {"start"},
        "table": {"border", "cellpadding", "cellspacing"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan", "scope"},
    },
    "clean_content_tags": {"script", "style", "title", "iframe", "object", "template", "noscript", "textarea", "select"},
    "generic_attribute_prefixes": {"aria-"},
    "link_rel": "noopener noreferrer",
}  # fmt: skip


def is_page(html: str) -> bool:
    """Whether it brings a body of its own; a fragment is set into our frame."""
    return _BODY.search(html) is not None


def split_styles(html: str) -> tuple[str, str]:
    """The style sheets, without what would load something, and the rest. PermanentFailure `unrenderable` beyond the limits."""
    if len(html) > MAX_HTML:
        raise PermanentFailure("unrenderable", response={"detail": "The HTML is too long."})
    css = "\n".join(sheet.strip() for sheet in _STYLE.findall(html))
    if len(css) > MAX_CSS or css.count("{") > MAX_RULES or css.count(",") > MAX_COMMAS:
        raise PermanentFailure("unrenderable", response={"detail": "The style sheets are too long."})
    # A sheet knows no character references, so none of them was meant: they are what a variable's text was escaped to.
    css = _REFERENCE.sub("", _IMPORT.sub("", css)).replace("<", "")
    return css, _STYLE.sub("", html)


def sanitise(html: str, images: frozenset[str]) -> str:
    """What may be shown of it; `images` are the content ids of enclosed ones. PermanentFailure `unrenderable`."""
    html = _CONTROL.sub("", html)
    _check_shape(html)
    shown = _cleaner(images).clean(html)
    if len(shown) > MAX_HTML:
        raise PermanentFailure("unrenderable", response={"detail": "The HTML is too long."})
    return shown


def _declarations(style: str) -> Iterator[str]:
    """Those of a style attribute that are well-formed and load nothing; one that is not would make the inliner fail."""
    for declaration in style.split(";"):
        found = _DECLARATION.fullmatch(declaration) if len(declaration) <= MAX_DECLARATION else None
        if found is not None and not _LOADS.search(declaration):
            yield found[1].strip()


def _check_shape(html: str) -> None:
    """Refuse what is nested too deeply. An end tag counts only against one of its own name, so this errs to the safe side."""
    opened: Counter[str] = Counter()
    depth = 0
    for count, found in enumerate(_TAG.finditer(html)):
        name = found[2].lower()
        if count > MAX_TAGS:
            raise PermanentFailure("unrenderable", response={"detail": f"The HTML has more than {MAX_TAGS} tags."})
        if name in _CLOSE_THEMSELVES:
            continue
        if not found[1]:
            opened[name] += 1
            depth += 1
            if depth > MAX_DEPTH:
                raise PermanentFailure("unrenderable", response={"detail": "The HTML is nested too deeply."})
        elif opened[name]:
            opened[name] -= 1
            depth -= 1


@lru_cache(maxsize=64)
def _cleaner(images: frozenset[str]) -> nh3.Cleaner:
    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return "; ".join(_declarations(value)) or None
        if value[:4].lower() == "cid:":
            return value if tag == "img" and attribute == "src" and value[4:] in images else None
        return value

    return nh3.Cleaner(**_RULES, url_schemes={*SCHEMES, "cid"}, attribute_filter=keep)
