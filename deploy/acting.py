"""The actor of what is changed on the pages: the user who is logged in. The API's actors are its keys (`api/base.py`)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from notifications.acting import acting_as

GetResponse = Callable[[HttpRequest], HttpResponse]


def actor_middleware(get_response: GetResponse) -> GetResponse:
    """Tells PostgreSQL who acts, for requests that may change something."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not request.user.is_authenticated:
            return get_response(request)
        with acting_as(f"user {request.user.get_username()}"):
            return get_response(request)

    return middleware
