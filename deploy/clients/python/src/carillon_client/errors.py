"""What can go wrong.

CarillonError
├── NoAnswer                  the connection failed or timed out, also when tried again
├── UnexpectedAnswer          a success that does not read as Carillon's: is `base_url` right?
├── WebhookVerificationError  (webhooks.py)
└── ApiError                  the server said no: an RFC 9457 problem
    ├── BadRequest            400
    ├── Unauthorized          401
    ├── Forbidden             403
    ├── NotFound              404
    ├── Conflict              409
    │   └── InFlight              the first request with this Idempotency-Key is still being served
    ├── PayloadTooLarge       413
    ├── ValidationError       422, with the pointers of the fields
    │   └── IdempotencyKeyReused  the key was used for another request
    ├── RateLimited           429
    └── ServerError           5xx
        └── Unavailable           502, 503, 504

Arguments that cannot be meant (an empty id) are `ValueError`s.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field. `pointer` is a JSON Pointer (RFC 6901) or names a query parameter."""

    pointer: str = ""
    detail: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457, as Carillon sends it; `code` is for machines."""

    status: int
    title: str = ""
    detail: str = ""
    code: str = ""
    type: str = "about:blank"
    errors: tuple[Fault, ...] = ()


class CarillonError(Exception):
    """The root of everything that this package raises about a server."""


class NoAnswer(CarillonError):
    """The request may or may not have been served. Ask again with `idempotency_key`, which is None but for POST."""

    def __init__(self, detail: str, idempotency_key: str | None = None) -> None:
        super().__init__(detail, idempotency_key)
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        return str(self.args[0])


class UnexpectedAnswer(CarillonError):
    """A success whose body is not what Carillon sends."""


class ApiError(CarillonError):
    """The server refused. `retry_after` are the seconds it asked to wait, `request_id` finds it in the server's log."""

    def __init__(
        self,
        problem: Problem,
        retry_after: float | None = None,
        request_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(problem, retry_after, request_id, idempotency_key)
        self.problem = problem
        self.retry_after = retry_after
        self.request_id = request_id
        self.idempotency_key = idempotency_key

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def code(self) -> str:
        return self.problem.code

    def __str__(self) -> str:
        problem = self.problem
        said = f"{problem.status} {problem.code or problem.title}: {problem.detail}".rstrip(": ")
        faults = "; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in problem.errors)
        return f"{said} ({faults})" if faults else said


class BadRequest(ApiError):
    """400."""


class Unauthorized(ApiError):
    """401."""


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404: it does not exist in this key's project."""


class Conflict(ApiError):
    """409."""


class InFlight(Conflict):
    """409: the first request with this Idempotency-Key is still being served."""


class PayloadTooLarge(ApiError):
    """413."""


class ValidationError(ApiError):
    """422: the request was understood and something in it cannot be accepted; nothing was changed."""

    @property
    def errors(self) -> tuple[Fault, ...]:
        return self.problem.errors

    @property
    def pointers(self) -> tuple[str, ...]:
        """Which fields, such as `/recipients/0/email`."""
        return tuple(fault.pointer for fault in self.problem.errors)


class IdempotencyKeyReused(ValidationError):
    """422: the Idempotency-Key was used for another request; nothing was done."""


class RateLimited(ApiError):
    """429."""


class ServerError(ApiError):
    """5xx."""


class Unavailable(ServerError):
    """502, 503, 504: not now."""


_BY_CODE = {"in_flight": InFlight, "idempotency_key_reused": IdempotencyKeyReused}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    422: ValidationError,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def class_of(problem: Problem) -> type[ApiError]:
    """The class that says most about `problem`."""
    fallback = ServerError if problem.status >= 500 else ApiError
    return _BY_CODE.get(problem.code) or _BY_STATUS.get(problem.status, fallback)


def read_problem(status: int, body: bytes) -> Problem:
    """The problem in an answer; what a proxy answered in words of its own is known by its status alone."""
    try:
        return msgspec.structs.replace(msgspec.json.decode(body, type=Problem), status=status)
    except msgspec.DecodeError:
        known = status in HTTPStatus._value2member_map_
        return Problem(status=status, title=HTTPStatus(status).phrase if known else "Unknown status")
