"""`/u/<token>`: unsubscribing by the link in a mail, with one click (RFC 8058) or by a button of a page.

Without key, cookies and redirects. Whatever the token says, the answer is the same, so it tells a stranger
nothing; GET only shows, because link checkers and previews open every link of a mail.
"""

import hashlib
from base64 import b64encode
from typing import Final
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse

from notifications.errors import Unavailable
from notifications.executor import in_thread
from notifications.models import RecipientPreferences
from notifications.services.unsubscriptions import unsubscribe_by_link
from notifications.signed_links import BadLink
from notifications.unsubscribe_links import read_token

_STYLE: Final = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f4f5f7;color:#1f2430;"
    "font:17px/1.5 system-ui,sans-serif}"
    "main{box-sizing:border-box;width:100%;max-width:28rem;padding:2rem 1.5rem;text-align:center}"
    "h1{font-size:1.5rem;line-height:1.3;margin:0 0 .75rem}p{margin:0 0 1.5rem}"
    "button{width:100%;min-height:3rem;border:0;border-radius:.6rem;background:#2456c4;color:#fff;"
    "font:600 1.05rem system-ui,sans-serif;cursor:pointer}"
    "button:focus-visible{outline:3px solid #8fb2ff;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#14161b;color:#d9dde5}}"
)
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ASK: Final = _PAGE.format(
    style=_STYLE,
    title="Unsubscribe?",
    body="<p>You will get no more mail of this kind at this address.</p>\n"
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<input type="hidden" name="by" value="page"><button>Unsubscribe</button></form>',
)
_DONE: Final = _PAGE.format(
    style=_STYLE,
    title="You are unsubscribed",
    body="<p>You will get no more mail of this kind at this address. Nothing else is left to do.</p>",
)
_LATER: Final = _PAGE.format(
    style=_STYLE, title="Please try again", body="<p>This cannot be done right now. Nothing was changed.</p>"
)


async def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A plain view, without negotiation: whoever asks, for whatever media type, gets the page."""
    if request.method in ("GET", "HEAD"):
        return _page(_ASK)
    if request.method != "POST":
        return _page(_ASK, 405, {"Allow": "GET, HEAD, POST"})
    try:
        await in_thread(unsubscribe_by_link, read_token(token), source=_source(request))
    except BadLink:
        pass  # told what everybody is told
    except Unavailable:
        return _page(_LATER, 503, {"Retry-After": "5"})
    return _page(_DONE)


def _source(request: HttpRequest) -> RecipientPreferences.Source:
    """Mail programs send `List-Unsubscribe=One-Click` alone, in one of two encodings; the page says who it is."""
    said = parse_qs(request.body[:1024].decode("latin-1"))
    source = RecipientPreferences.Source
    return source.PAGE if said.get("by") == ["page"] else source.ONE_CLICK


def _page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        html,
        status=status,
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _POLICY, **(headers or {})},
    )
