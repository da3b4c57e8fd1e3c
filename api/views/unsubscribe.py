"""`/u/<token>`: unsubscribing by the link in a mail, with one click (RFC 8058) or by a button of a page.

Without key, cookies and (for the one click) redirects. Whatever the token says, the answer is the same, so it tells a stranger
nothing; GET only shows, because link checkers and previews open every link of a mail.
"""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse

from api.preference_page import html
from api.preference_page.languages import LANGUAGES, choose_language
from api.preference_page.words import Words
from api.views.preference_page import answer
from notifications.errors import Unavailable
from notifications.executor import in_thread
from notifications.models import RecipientPreferences
from notifications.preference_links import PATH as PREFERENCES
from notifications.preference_links import PreferenceLink, url_of
from notifications.services.unsubscriptions import unsubscribe_by_link
from notifications.signed_links import BadLink
from notifications.unsubscribe_links import read_token

CHOOSE: Final = "choose"
"""In the query of a link: on to the page of all preferences."""


async def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A plain view, without negotiation: whoever asks, for whatever media type, gets the page."""
    language = choose_language(request.headers.get("Accept-Language"))
    words = LANGUAGES[language]
    if request.method in ("GET", "HEAD"):
        return _to_preferences(token) if CHOOSE in request.GET else answer(_ask(language))
    if request.method != "POST":
        return answer(_ask(language), 405, {"Allow": "GET, HEAD, POST"})
    try:
        await in_thread(unsubscribe_by_link, read_token(token), source=_source(request))
    except BadLink:
        pass  # told what everybody is told
    except Unavailable:
        return answer(html.message(language, words.later, words.later_hint), 503, {"Retry-After": "5"})
    return answer(_done(language))


def _ask(language: str) -> str:
    words = LANGUAGES[language]
    form = (
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f'<input type="hidden" name="by" value="page"><p class="buttons"><button>{escape(words.unsubscribe)}</button></p></form>'
    )
    said = f"<h1>{escape(words.unsubscribe_title)}</h1>\n<p>{escape(words.unsubscribe_hint)}</p>\n{form}"
    return html.page(language, words.unsubscribe_title, said + _choose(words), small=True)


def _done(language: str) -> str:
    words = LANGUAGES[language]
    said = f"<h1>{escape(words.unsubscribed)}</h1>\n<p>{escape(words.unsubscribed_hint)}</p>"
    return html.page(language, words.unsubscribed, said + _choose(words), small=True)


def _choose(words: Words) -> str:
    """On to all preferences, by an address that is the same on everybody's page."""
    return f'\n<p><a href="?{CHOOSE}">{escape(words.choose)}</a></p>'


def _to_preferences(token: str) -> HttpResponse:
    try:
        link = read_token(token)
    except BadLink:
        return HttpResponse(status=303, headers={"Location": f"..{PREFERENCES}-"})
    said = PreferenceLink(link.project_id, link.recipient_pk, link.address_digest, link.category)
    return HttpResponse(status=303, headers={"Location": f"..{PREFERENCES}{url_of(said).rpartition('/')[2]}"})


def _source(request: HttpRequest) -> RecipientPreferences.Source:
    """Mail programs send `List-Unsubscribe=One-Click` alone, in one of two encodings; the page says who it is."""
    said = parse_qs(request.body[:1024].decode("latin-1"))
    source = RecipientPreferences.Source
    return source.PAGE if said.get("by") == ["page"] else source.ONE_CLICK
