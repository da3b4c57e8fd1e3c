"""Sanitised HTML as plain text for those who read without: its words in their order, links with their addresses."""

import re
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = {
    "blockquote", "center", "div", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "tr", "ul", "caption",
}  # fmt: skip
_APART: Final = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul", "dl"}
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_GAPS: Final = re.compile(r"\n{3,}")
_INVISIBLE: Final = re.compile(r"[\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u2007]+")


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._links: list[tuple[int, str]] = []
        self._lists: list[int | None] = []
        self._pre = 0
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._hidden or "display:none" in given.get("style", "").replace(" ", "").lower():
            if tag not in ("br", "img", "hr", "col"):
                self._hidden.append(tag)
        elif tag in ("ul", "ol", "li"):
            self._list(tag, given)
        else:
            self._open(tag, given)

    def _open(self, tag: str, given: dict[str, str]) -> None:
        match tag:
            case "br":
                self.said.append("\n")
            case "hr":
                self._begin(2)
                self.said.append("-" * 20 + "\n\n")
            case "img":
                self.said.append(given.get("alt", ""))
            case "a":
                self._links.append((len(self.said), given.get("href", "")))
            case "td" | "th":
                self.said.append(" ")
            case _:
                self._pre += tag == "pre"
                self._break(tag)

    def _list(self, tag: str, given: dict[str, str]) -> None:
        if tag == "li":
            self._item()
            return
        start = given.get("start", "1")
        number = int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
        self._begin(1 if self._lists else 2)
        self._lists.append(number if tag == "ol" else None)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag == self._hidden[-1]:
                self._hidden.pop()
            return
        match tag:
            case "a" if self._links:
                self._link(*self._links.pop())
            case "ul" | "ol" if self._lists:
                self._lists.pop()
                self._begin(1 if self._lists else 2)
            case _:
                if tag == "pre":
                    self._pre = max(self._pre - 1, 0)
                self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._pre:
            data = _SPACE.sub(" ", data)
            if data == " " and (not self.said or self.said[-1].endswith("\n")):
                return
        self.said.append(data)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._begin(2 if tag in _APART else 1)

    def _begin(self, ends: int) -> None:
        """On a new line, with an empty one before it where `ends` is 2."""
        before = "".join(self.said[-3:])
        there = len(before) - len(before.rstrip("\n"))
        if there < ends:
            self.said.append("\n" * (ends - there))

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        indent = "  " * (len(self._lists) - 1)
        self._begin(1)
        self.said.append(indent + ("- " if number is None else f"{number}. "))

    def _link(self, start: int, href: str) -> None:
        label = _SPACE.sub(" ", "".join(self.said[start:])).strip()
        if href and label not in (href, href.removeprefix("mailto:"), href.removeprefix("tel:")):
            self.said.append(f" ({href})" if label else href)


def text_of_html(html: str) -> str:
    """The words, without an end of line at the end."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    text = _INVISIBLE.sub("", "".join(writer.said))
    lines = [
        " ".join(line.split(" ")).strip(" ") if not line.startswith("  ") else line.rstrip()
        for line in text.split("\n")
    ]
    return _GAPS.sub("\n\n", "\n".join(lines)).strip("\n ")
