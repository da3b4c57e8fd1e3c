"""The one error shape: RFC 9457 `application/problem+json`, and the one place that turns errors into it.

{"type": "about:blank", "title": "...", "status": 422, "detail": "...", "code": "invalid", "errors": [{"pointer", "detail"}]}
"""

from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpResponse

from notifications.errors import (
    CarillonError,
    Conflict,
    Fault,
    InFlight,
    Invalid,
    KeyReused,
    Malformed,
    NotFound,
    Unavailable,
)

_encode = msgspec.json.Encoder().encode
MAX_FAULTS = 100


class HttpProblem(Exception):
    """Something that is wrong with the request as HTTP: authentication, method, media type, rate."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


_STATUS: dict[type[CarillonError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    Invalid: (422, "invalid"),
    NotFound: (404, "not_found"),
    InFlight: (409, "in_flight"),
    Conflict: (409, "conflict"),
    KeyReused: (422, "idempotency_key_reused"),
    Unavailable: (503, "unavailable"),
}


def problem_document(status: int, code: str, detail: str, faults: list[Fault] | None = None) -> dict[str, Any]:
    """The members of a problem, as RFC 9457 section 3.1 names them."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if faults:
        document["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults[:MAX_FAULTS]]
    return document


def problem(
    status: int, code: str, detail: str, faults: list[Fault] | None = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    """A problem as a response."""
    body = _encode(problem_document(status, code, detail, faults))
    return HttpResponse(body, status=status, content_type="application/problem+json", headers=headers)


def document_of(error: CarillonError) -> dict[str, Any]:
    """The problem that says what `error` says."""
    status, code = _STATUS[type(error)]
    return problem_document(status, code, error.detail, error.faults if isinstance(error, Invalid) else None)


def response_to(error: CarillonError | HttpProblem) -> HttpResponse:
    """The response that says what `error` says."""
    if isinstance(error, HttpProblem):
        return problem(error.status, error.code, error.detail, headers=error.headers)
    status, code = _STATUS[type(error)]
    headers = {"Retry-After": "1"} if isinstance(error, Unavailable | InFlight) else None
    return problem(status, code, error.detail, error.faults if isinstance(error, Invalid) else None, headers)
