"""One logical request on its way: what to do after each try. No I/O, so both drivers share it.

exchange = Exchange(request, policy)
while True:
    step = exchange.answered(<response>)  or  exchange.failed(<error>)
    Done: there is the result.  Pause: wait, try again.  Whatever ends it otherwise is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx
import msgspec

from .errors import NoAnswer, UnexpectedAnswer, class_of, read_problem
from .requests import Request
from .retries import RETRIED_CODES, RETRIED_STATUSES, RetryPolicy, may_repeat_after, read_retry_after

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """The result."""

    value: T


@dataclass(frozen=True)
class Pause:
    """Try again after so many seconds."""

    seconds: float


class Exchange(Generic[T]):
    """Counts the tries of one request and judges each.

    Everything may be tried again: GET, PUT, DELETE and merge patches do the same thing twice as once, and a POST
    carries its Idempotency-Key.
    """

    def __init__(self, request: Request[T], policy: RetryPolicy) -> None:
        self._request = request
        self._policy = policy
        self._tried = 0

    def failed(self, error: httpx.HTTPError) -> Pause:
        """No answer came. Raises `NoAnswer` when that is final."""
        self._tried += 1
        seconds = self._policy.pause(self._tried) if may_repeat_after(error) else None
        if seconds is None:
            tries = f"{self._tried} {'try' if self._tried == 1 else 'tries'}"
            detail = f"{type(error).__name__} after {tries}: {error}"
            raise NoAnswer(detail, self._request.idempotency_key) from error
        return Pause(seconds)

    def answered(self, response: httpx.Response) -> Done[T] | Pause:
        """An answer came. Raises its `ApiError` when that is final."""
        self._tried += 1
        if response.is_success or self._is_gone(response.status_code):
            return Done(self._read(response.content))
        problem = read_problem(response.status_code, response.content)
        retry_after = read_retry_after(response.headers.get("retry-after"))
        if problem.status in RETRIED_STATUSES or problem.code in RETRIED_CODES:
            seconds = self._policy.pause(self._tried, retry_after)
            if seconds is not None:
                return Pause(seconds)
        request_id = response.headers.get("x-request-id")
        raise class_of(problem)(problem, retry_after, request_id, self._request.idempotency_key)

    def _is_gone(self, status: int) -> bool:
        """What an earlier try has removed, though its answer was lost, is not there for the next one."""
        return status == 404 and self._request.method == "DELETE" and self._request.body is None and self._tried > 1

    def _read(self, body: bytes) -> T:
        try:
            return self._request.read(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnexpectedAnswer(f"{self._request.method} {self._request.path}: {error}") from error
