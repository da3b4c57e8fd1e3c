"""Parsed Markdown as plain text a person likes to read: no marks, but structure and the links' addresses kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token


@dataclass(slots=True)
class _Prefix:
    """What a container puts before its lines: a bullet before the first, its width in spaces before the others."""

    first: str
    rest: str
    begun: bool = False

    def take(self) -> str:
        now = self.rest if self.begun else self.first
        self.begun = True
        return now


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._prefixes: list[_Prefix] = []
        self._gap = False
        self._cells: list[str] | None = None
        self._lists = 0
        self._apart = True

    def feed(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._say(_inline(token.children or []))
            case "fence" | "code_block":
                self._block("\n".join("    " + line for line in token.content.rstrip("\n").split("\n")))
            case "hr":
                self._block("-" * 20)
            case "paragraph_open" if token.hidden:
                # Items of a tight list follow each other; the list itself stands apart.
                self._gap = self._gap and self._apart
                self._apart = False
            case "tr_open" | "tr_close" | "table_close":
                self._table(token)
            case _:
                self._contain(token)

    def _contain(self, token: Token) -> None:
        match token.type:
            case "blockquote_open":
                self._prefixes.append(_Prefix("> ", "> "))
            case "list_item_open":
                mark = f"{token.info}. " if token.info else "- "
                self._prefixes.append(_Prefix(mark, " " * len(mark)))
            case "blockquote_close" | "list_item_close":
                self._prefixes.pop()
            case "bullet_list_open" | "ordered_list_open":
                self._apart = self._lists == 0
                self._lists += 1
            case "bullet_list_close" | "ordered_list_close":
                self._lists -= 1

    def _table(self, token: Token) -> None:
        if token.type == "tr_open":
            self._cells = []
        elif token.type == "tr_close":
            cells, self._cells = self._cells or [], None
            self._block(" | ".join(cells))
            self._gap = False
        else:
            self._gap = True

    def _say(self, text: str) -> None:
        if self._cells is None:
            self._block(text)
        else:
            self._cells.append(text)

    def _block(self, text: str) -> None:
        if self._gap and self.lines:
            self.lines.append("".join(prefix.rest for prefix in self._prefixes if prefix.begun).rstrip())
        for line in text.split("\n"):
            self.lines.append(("".join(prefix.take() for prefix in self._prefixes) + line).rstrip())
        self._gap = True


def text_of(tokens: Sequence[Token]) -> str:
    """The whole document, without an end of line at its end."""
    writer = _Writer()
    for token in tokens:
        writer.feed(token)
    return "\n".join(writer.lines)


def _inline(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    links: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "text" | "text_special" | "code_inline" | "html_inline":
                said.append(token.content)
            case "softbreak" | "hardbreak":
                said.append("\n")
            case "link_open":
                links.append((len(said), str(token.attrGet("href") or "")))
            case "link_close":
                start, href = links.pop()
                if "".join(said[start:]) not in (href, href.removeprefix("mailto:"), href.removeprefix("tel:")):
                    said.append(f" ({href})")
            case "image":
                said.append(_inline(token.children or []))
    return "".join(said)
