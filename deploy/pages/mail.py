"""`/dev/mail`: what the built-in SMTP catcher caught, for reading in a browser."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from deploy.pages import mailbox
from deploy.pages.pages import guarded, page

_LISTED: Final = 200
# The mail's own HTML: no scripts, no requests anywhere, an origin of its own; links open elsewhere.
_MAIL_SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox"
_MAIL_POLICY: Final = (
    f"sandbox {_MAIL_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; frame-ancestors 'self'"
)


@require_safe
@guarded
def mail_list(request: HttpRequest) -> HttpResponse:
    """The newest mails."""
    if not settings.CARILLON_MAIL_DIR:
        return _not_caught(request)
    mails = mailbox.newest(Path(settings.CARILLON_MAIL_DIR), limit=_LISTED)
    return page(request, "mail_list", {"mails": mails, "limit": _LISTED})


@require_safe
@guarded
def mail_page(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: headers, text, HTML, source."""
    if not settings.CARILLON_MAIL_DIR:
        return _not_caught(request)
    mail = mailbox.read(Path(settings.CARILLON_MAIL_DIR), name)
    if mail is None:
        return page(request, "refused", {"title": "No such mail", "reason": "gone"}, status=404)
    return page(request, "mail", {"mail": mail, "sandbox": _MAIL_SANDBOX})


@require_safe
@guarded
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part alone, for the sandboxed frame of the mail's page."""
    mail = mailbox.read(Path(settings.CARILLON_MAIL_DIR), name) if settings.CARILLON_MAIL_DIR else None
    if mail is None or mail.html is None:
        return HttpResponse("No HTML part.", status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse('<base target="_blank">' + mail.html)
    response["Content-Security-Policy"] = _MAIL_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
@guarded
def mail_source(request: HttpRequest, name: str) -> HttpResponse:
    """The bytes as they came, to be saved."""
    raw = mailbox.read_raw(Path(settings.CARILLON_MAIL_DIR), name) if settings.CARILLON_MAIL_DIR else None
    if raw is None:
        return HttpResponse("No such mail.", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        raw, content_type="message/rfc822", headers={"Content-Disposition": 'attachment; filename="mail.eml"'}
    )


def _not_caught(request: HttpRequest) -> HttpResponse:
    title = "No mail is caught here"
    return page(request, "refused", {"title": title, "reason": "smtp"}, status=404)
