"""`/k/<token>`: the link by which somebody says that they take care of something, so that an escalation ends.

Without key, cookies and redirects. GET only shows a button, because link checkers and previews open every link of a mail.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse

from api.acknowledging import acknowledge_everywhere
from api.preference_page import html
from api.preference_page.languages import choose_language
from api.views.preference_page import answer
from notifications.acknowledge_links import read_acknowledge_token
from notifications.errors import NotFound, Unavailable
from notifications.signed_links import BadLink

_WORDS: Final = {
    "en": ("Do you take care of it?", "Nobody else is called once you do.", "I take care of it", "You take care of it",
           "Nobody else is called. You can close this page.", "Please try again", "This cannot be done right now."),
    "de": ("Kümmern Sie sich darum?", "Dann wird niemand weiter gerufen.", "Ich kümmere mich", "Sie kümmern sich darum",
           "Es wird niemand weiter gerufen. Sie können diese Seite schließen.", "Bitte später noch einmal", "Das geht gerade nicht."),
    "fr": ("Vous en occupez-vous ?", "Plus personne ne sera alors appelé.", "Je m'en occupe", "Vous vous en occupez",
           "Plus personne n'est appelé. Vous pouvez fermer cette page.", "Veuillez réessayer", "Ce n'est pas possible pour l'instant."),
    "es": ("¿Se ocupa usted?", "Entonces no se llamará a nadie más.", "Me ocupo yo", "Usted se ocupa",
           "No se llama a nadie más. Puede cerrar esta página.", "Inténtelo de nuevo", "Ahora mismo no es posible."),
}  # fmt: skip


async def acknowledge_page(request: HttpRequest, token: str) -> HttpResponse:
    """A plain view, without negotiation: whoever asks, for whatever media type, gets the page."""
    language = choose_language(request.headers.get("Accept-Language"))
    ask, ask_hint, button, done, done_hint, later, later_hint = _WORDS[language]
    if request.method not in ("GET", "HEAD", "POST"):
        return answer(html.message(language, ask, ask_hint), 405, {"Allow": "GET, HEAD, POST"})
    if request.method != "POST":
        return answer(html.question(language, ask, ask_hint, button))
    try:
        link = read_acknowledge_token(token)
        await acknowledge_everywhere(notification_id=link.notification_id, recipient_pk=link.recipient_pk)
    except (BadLink, NotFound):
        pass  # told what everybody is told
    except Unavailable:
        return answer(html.message(language, later, later_hint), 503, {"Retry-After": "5"})
    return answer(html.message(language, done, done_hint))
