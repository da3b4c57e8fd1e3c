"""A template's text cut into tokens, in one pass.

In place of python-liquid's, whose regular expressions take quadratic time over brackets that are never closed. Comments and
what stands in `raw` end here.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from notifications.templating.limits import MAX_BRACKETS, MAX_EXPRESSION, MAX_EXPRESSIONS

_OPEN: Final = re.compile(r"\{[{%]")
_NAME: Final = re.compile(r"(#|\w+)\s*")
_ENDS: Final = {name: re.compile(rf"\{{%(-?)\s*end{name}\s*(-?)%\}}") for name in ("raw", "comment")}


def tokens_of(source: str) -> Iterator[Token]:
    """Its tokens, as python-liquid's parser wants them. Raises `LiquidSyntaxError`."""
    return _Lexer(source).tokens()


class _Lexer:
    """Where it stands in the source, and whether the last bracket trims what follows it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.trim = False

    def tokens(self) -> Iterator[Token]:
        count = 0
        while opening := _OPEN.search(self.source, self.position):
            count += 1
            if count > MAX_EXPRESSIONS:
                raise self._wrong(f"a template has at most {MAX_EXPRESSIONS} tags and variables", opening.start())
            dash = self.source.startswith("-", opening.end())
            yield from self._content(opening.start(), rstrip=dash)
            said, start = self._expression(opening, opening.end() + dash)
            if opening[0] == "{{":
                yield Token(TOKEN_OUTPUT, self.source[opening.start() : self.position], opening.start(), self.source)
                yield Token(TOKEN_EXPRESSION, said, start, self.source)
            else:
                yield from self._tag(said, start)
        yield from self._content(len(self.source), rstrip=False)

    def _expression(self, opening: re.Match[str], start: int) -> tuple[str, int]:
        """What stands between the brackets, and where; goes on behind them."""
        end = self.source.find("}}" if opening[0] == "{{" else "%}", start)
        if end < 0:
            raise self._wrong(f"never closed: {opening[0]}", opening.start())
        self.position, self.trim = end + 2, end > start and self.source[end - 1] == "-"
        said = self.source[start : end - self.trim]
        start += len(said) - len(said.lstrip())
        said = said.strip()
        if len(said) > MAX_EXPRESSION:
            raise self._wrong(f"an expression has at most {MAX_EXPRESSION} characters", opening.start())
        if said.count("[") > MAX_BRACKETS:
            raise self._wrong(f"an expression has at most {MAX_BRACKETS} brackets", opening.start())
        return said, start

    def _tag(self, said: str, start: int) -> Iterator[Token]:
        name = _NAME.match(said)
        if name is None:
            raise self._wrong("a tag has no name", start)
        if name[1] in _ENDS:
            closing = _ENDS[name[1]].search(self.source, self.position)
            if closing is None:
                raise self._wrong(f"{name[1]} is never closed", start)
            if name[1] == "raw":
                yield from self._content(closing.start(), rstrip=bool(closing[1]))
            self.position, self.trim = closing.end(), bool(closing[2])
        elif name[1] != "#":
            yield Token(TOKEN_TAG, name[1], start, self.source)
            if name.end() < len(said):
                yield Token(TOKEN_EXPRESSION, said[name.end() :], start + name.end(), self.source)

    def _content(self, end: int, *, rstrip: bool) -> Iterator[Token]:
        text = self.source[self.position : end]
        text = text.lstrip() if self.trim else text
        text = text.rstrip() if rstrip else text
        if text:
            yield Token(TOKEN_CONTENT, text, self.position, self.source)

    def _wrong(self, what: str, index: int) -> LiquidSyntaxError:
        return LiquidSyntaxError(what, token=Token(TOKEN_TAG, self.source[index : index + 2], index, self.source))


Tokenizer = Callable[[str], Iterator[Token]]
