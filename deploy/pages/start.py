"""`/`: where to go from here."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from deploy.pages.pages import page


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Links and the version."""
    return page(request, "start")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it by this name whatever the page says."""
    return HttpResponsePermanentRedirect(static("carillon/bell.svg"))
