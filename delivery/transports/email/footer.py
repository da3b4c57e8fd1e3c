"""The line under a mail by which its reader chooses what to get: shared by all mails that say the same, but for the address in it.

So a broadcast is put into words and encoded once. The address stands on a line of its own, in a part that is quoted-printable,
and is set in at the end; where a mail's own text shows it already there is no such line.
"""

from collections.abc import Mapping
from html import escape
from typing import Final

PLACE: Final = "x-carillon-address-of-preferences"
CTE: Final = "quoted-printable"
_LINE: Final = 60
_WORDS: Final[Mapping[str, str]] = {
    "en": "Choose what you get",
    "de": "Auswählen, was Sie bekommen",
    "fr": "Choisir ce que vous recevez",
    "es": "Elegir lo que recibe",
}
_HTML: Final = """<p style="margin:0;padding:0 16px 24px;text-align:center;font:13px/1.6 sans-serif">
<a style="color:inherit"
href="{place}"
>{words}</a></p>
"""


def language_of(locale: str | None) -> str:
    """The language of the line for somebody of this locale."""
    language = (locale or "").replace("_", "-").partition("-")[0].lower()
    return language if language in _WORDS else "en"


def text_with_footer(text: str, language: str) -> str:
    """The text with the line under it, as a signature (RFC 3676)."""
    return f"{text}\n-- \n{_WORDS[language]}:\n{PLACE}\n"


def html_with_footer(html: str, language: str) -> str:
    """The page with the line at its end."""
    before, end, after = html.rpartition("</body>")
    return f"{before}{_HTML.format(place=PLACE, words=escape(_WORDS[language]))}{end}{after}"


def with_address(encoded: bytes, url: str) -> bytes:
    """The encoded mail with the address in its place, with the soft line breaks of RFC 2045."""
    pieces = (url[start : start + _LINE].replace("=", "=3D") for start in range(0, len(url), _LINE))
    return encoded.replace(PLACE.encode(), "=\r\n".join(pieces).encode("ascii"))
