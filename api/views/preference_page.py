"""`/p/<token>`: the page of somebody's own preferences, by the link in a mail. Without key, login, cookies and scripts.

The link itself is what opens it, so a request from another site could change nothing that its author could not. GET only shows,
because link checkers and previews open every link of a mail.
"""

from typing import Any, Final
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse

from api.preference_page import html
from api.preference_page.form import EVERYTHING_ELSE, Form, changed, days_of, is_on, rhythm_of
from api.preference_page.languages import LANGUAGES, choose_language
from api.preference_page.style import POLICY
from delivery.selectors import recent_categories
from notifications import selectors
from notifications.conf import conf
from notifications.errors import Invalid, Unavailable
from notifications.executor import in_thread
from notifications.models import ProjectSettings, Recipient, RecipientPreferences
from notifications.preference_links import PreferenceLink, read_token
from notifications.preferences.deciding import cadence
from notifications.preferences.parsing import parse_preferences
from notifications.services.preferences import change_by_link
from notifications.signed_links import BadLink

_MOST_FIELDS: Final = 5000
_FOR_MACHINES: Final = frozenset({"webhook"})
_FIRST: Final = ("email", "in_app")


async def preference_page(request: HttpRequest, token: str) -> HttpResponse:
    """A plain view, without negotiation: whoever asks, for whatever media type, gets the page."""
    if request.method not in ("GET", "HEAD", "POST"):
        return answer(_gone(request), 405, {"Allow": "GET, HEAD, POST"})
    try:
        link = read_token(token)
        found = await in_thread(_post if request.method == "POST" else _show, request, link)
    except BadLink:
        found = None
    except Unavailable:
        language = choose_language(request.headers.get("Accept-Language"))
        words = LANGUAGES[language]
        return answer(html.message(language, words.later, words.later_hint), 503, {"Retry-After": "5"})
    return answer(_gone(request), 404) if found is None else answer(*found)


def answer(page: str, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A page with its policy."""
    return HttpResponse(
        page,
        status=status,
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": POLICY, **(headers or {})},
    )


def _gone(request: HttpRequest) -> str:
    language = choose_language(request.headers.get("Accept-Language"))
    words = LANGUAGES[language]
    return html.message(language, words.gone, words.gone_hint)


def _show(request: HttpRequest, link: PreferenceLink) -> tuple[str, int] | None:
    shown = _shown(request, link)
    return (html.preferences(shown), 200) if shown else None


def _post(request: HttpRequest, link: PreferenceLink) -> tuple[str, int] | None:
    try:
        form = parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        form = {}
    try:
        row = change_by_link(link, lambda own, defaults: changed(own, defaults, form, known=conf().channels))
    except Invalid:
        shown = _shown(request, link, wrong=form)
        return (html.preferences(shown), 422) if shown else None
    shown = _shown(request, link, saved=True) if row else None
    return (html.preferences(shown), 200) if shown else None


def _shown(
    request: HttpRequest, link: PreferenceLink, *, saved: bool = False, wrong: Form | None = None
) -> html.Shown | None:
    """What the page shows; with `wrong` the hours as that form has them. None when the link opens nothing."""
    recipient = selectors.get_by_link(link)
    if recipient is None:
        return None
    project = _project(recipient)
    settings: dict[str, Any] = _own(recipient)
    own, defaults = parse_preferences(settings), parse_preferences(project.preferences)
    language = choose_language(recipient.locale, request.headers.get("Accept-Language"), project.default_locale)
    channels = _channels(own.channels)
    categories = {*own.categories, *own.digests, *defaults.categories, *defaults.digests, link.category}
    names = selectors.workflow_names(recipient.project_id)
    categories |= {*recent_categories(recipient.pk), *names}
    keys = [*sorted(categories - {""}, key=str.lower), EVERYTHING_ELSE]
    return html.Shown(
        language=language,
        words=LANGUAGES[language],
        brand=project.brand.get("name") or "",
        channels=channels,
        rows=tuple(
            html.Row(
                key,
                tuple(is_on(key, channel, own, defaults) for channel in channels),
                rhythm_of(cadence(key, own=own, defaults=defaults)),
                about=", ".join(filter(None, names.get(key, ()))),
            )
            for key in keys
        ),
        days=days_of(settings, project.preferences, wrong),
        quiet_of_project=own.quiet_hours is None and defaults.quiet_hours is not None,
        zone=(recipient.timezone or project.timezone).replace("_", " "),
        saved=saved,
        wrong=wrong is not None,
    )


def _channels(own: Any) -> tuple[str, ...]:
    """Those that are for people, the usual ones first."""
    known = {*conf().channels, *own} - _FOR_MACHINES
    return (*(name for name in _FIRST if name in known), *sorted(known - set(_FIRST)))


def _own(recipient: Recipient) -> dict[str, Any]:
    try:
        found: dict[str, Any] = recipient.preferences.settings
    except RecipientPreferences.DoesNotExist:
        return {}
    return found


def _project(recipient: Recipient) -> ProjectSettings:
    try:
        return recipient.project.settings
    except ProjectSettings.DoesNotExist:
        return ProjectSettings(
            project=recipient.project, default_locale="en", timezone="UTC", brand={}, preferences={}, caps={}
        )
