"""The slow view twice: awaiting on the product's handler, and sleeping in a thread per connection.

The threaded server is Django's own `ThreadedWSGIServer` (socketserver's ThreadingMixIn with kept HTTP/1.1
connections), without its access log: no other threaded WSGI server is in the lock file, and a thread per connection
is the most any of them could offer 1 000 requests that wait at the same time.
"""

import argparse
import asyncio
import socket
import time
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from api.handler import LeanHandler

WAIT_SECONDS = 0.1


async def awaiting(request: HttpRequest) -> HttpResponse:
    """Waits without a thread."""
    await asyncio.sleep(WAIT_SECONDS)
    return _answer()


def sleeping(request: HttpRequest) -> HttpResponse:
    """Waits, and its thread with it."""
    time.sleep(WAIT_SECONDS)
    return _answer()


def _answer() -> HttpResponse:
    # With its length, which CommonMiddleware would add: connections are kept only then.
    return HttpResponse(b'{"waited":true}', content_type="application/json", headers={"Content-Length": "15"})


class Awaiting:
    """URL configuration of the one way."""

    urlpatterns = [path("slow", awaiting)]


class Sleeping:
    """URL configuration of the other."""

    urlpatterns = [path("slow", sleeping)]


def _configure(urlconf: Any) -> None:
    settings.configure(
        SECRET_KEY="not one",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urlconf,
        LOGGING_CONFIG=None,
        MIDDLEWARE=[],
        INSTALLED_APPS=[],
    )
    django.setup()


class QuietHandler(WSGIRequestHandler):
    """Without the access log, which the other server does not write either."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def serve_threads(listener: socket.socket) -> None:
    """Until SIGTERM."""
    server = ThreadedWSGIServer(listener.getsockname()[:2], QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(WSGIHandler())
    server.serve_forever()


def main() -> None:
    """The threaded way; the other one runs on `tests.bench.serve`."""
    parser = argparse.ArgumentParser(prog="tests.bench.slow_servers", description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().fd)
    _configure(Sleeping)
    serve_threads(listener)


if __name__ == "__main__":
    main()
else:
    _configure(Awaiting)
    application = LeanHandler(Awaiting)  # type: ignore[arg-type]
