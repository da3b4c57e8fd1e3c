"""What can be wrong with a request, independent of HTTP; `api/problems.py` turns each into a problem document.

CarillonError
├── Malformed        cannot be read at all                        400
├── Invalid          well-formed but wrong, with pointers         422
├── NotFound         not there, or belongs to another project     404
├── Conflict         the state does not allow it                  409
│   └── InFlight     the same Idempotency-Key is being served     409 + Retry-After
├── KeyReused        same Idempotency-Key, other body             422
└── Unavailable      PostgreSQL does not answer                   503 + Retry-After
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: `pointer` is a JSON Pointer (RFC 6901) into the request body."""

    pointer: str
    detail: str


class CarillonError(Exception):
    """Base of everything a caller can be told."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(CarillonError):
    """The body is not JSON as RFC 8259 and this API understand it."""


class Invalid(CarillonError):
    """The body is well-formed but not acceptable; `faults` says where."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].detail if faults else "The request is not valid.")
        self.faults = faults


class NotFound(CarillonError):
    """No such thing in this project."""

    def __init__(self, detail: str = "No such resource.") -> None:
        super().__init__(detail)


class Conflict(CarillonError):
    """The thing is in a state that does not allow this."""


class InFlight(Conflict):
    """A request with the same Idempotency-Key is still being served."""


class KeyReused(CarillonError):
    """The Idempotency-Key was used before with a different body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before with a different request body.")


class Unavailable(CarillonError):
    """PostgreSQL did not answer in time; nothing was accepted."""
