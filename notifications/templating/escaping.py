"""What becomes of a variable's text on its way into a field, so that data never turns into markup.

line       titles and subjects: one line without control characters
url        as it is; the whole address is checked when it is complete
markdown   every mark that could begin an element is preceded by a backslash; line breaks stay within the paragraph
html       everything but letters, digits and a few signs becomes a character reference. That is safe in text, in attributes
           with and without quotes, and ends nothing in a style sheet, so no position has to be told from another; the
           sanitiser writes plain characters again where they are harmless and judges links, attributes and elements.
"""

import re
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a field's text is."""

    LINE = "line"
    URL = "url"
    MARKDOWN = "markdown"
    HTML = "html"


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_LINE_ENDS: Final = re.compile(r"\r\n?|[\u2028\u2029]")
_EMPTY_ENDS: Final = re.compile(r"\A[ \t]*\n\s*|\n\s*\Z")
_MARKS: Final = re.compile(r"[\\`*_\[\]<~|]|&(?=#?[0-9A-Za-z]{1,32}(?:;|$)|$)|!$")
_LINE_STARTS: Final = re.compile(
    r"^([ \t]*)(?:([-+](?=[-+:|\s]|\Z)|[.)](?=\s|\Z)|[=>#:])|(\d{1,9})([.)])(?=\s|\Z))", re.MULTILINE
)
_INDENTS: Final = re.compile(r"^[ \t]+", re.MULTILINE)
_NOT_IN_HTML: Final = re.compile(r"[^0-9A-Za-z\u00a1-\U0010ffff#.,%_!?+~-]")


def escape(kind: Kind, text: str) -> str:
    """`text`, which came from a variable, as it may stand in a field of this kind."""
    match kind:
        case Kind.LINE:
            return _CONTROL.sub(" ", text)
        case Kind.MARKDOWN:
            return escape_markdown(text)
        case Kind.HTML:
            return escape_html(text)
        case Kind.URL:
            return text


def escape_markdown(text: str) -> str:
    """Text that CommonMark with tables and strikethrough shows as it is."""
    text = _CONTROL_IN_TEXT.sub("", _LINE_ENDS.sub("\n", text))
    text = _EMPTY_ENDS.sub("", text)
    text = _MARKS.sub(lambda found: "\\" + found[0], text)
    text = _INDENTS.sub(_less_indent, _LINE_STARTS.sub(_escape_start, text))
    return text.replace("\n", "\\\n")


def _less_indent(found: re.Match[str]) -> str:
    """Four spaces would be code; one, before the first line alone, may part two words."""
    return "" if found.start() else " "


def _escape_start(found: re.Match[str]) -> str:
    indent, sign, number, point = found.groups()
    return f"{indent}\\{sign}" if sign else f"{indent}{number}\\{point}"


def escape_html(text: str) -> str:
    """Text as character references where it is not plainly harmless."""
    return _NOT_IN_HTML.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"&#{code};" if code in (9, 10, 13) or (code >= 32 and code != 127 and not 128 <= code < 160) else ""
