"""What is going to happen in one run, drawn from its seed before it begins: requests and faults. Pure."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CHANNELS: Final = ("in_app", "webhook", "email")
BULK: Final = 20
QUIET_START: Final = 0.05
QUIET_END: Final = 0.03


class Kind(StrEnum):
    """What is done to the platform; the order is that in which few faults are chosen."""

    KILL_API = "kill_api"
    KILL_CHILD = "kill_worker_child"
    STOP_POSTGRES = "stop_postgres_at_once"
    FLUSH_VALKEY = "flushall"
    FREEZE_CHILD = "freeze_worker_child_past_its_leases"
    KILL_WORKER = "kill_worker"
    EMPTY_VALKEY = "kill_valkey_and_its_data"
    KILL_BEAT = "kill_beat"
    CUT_POSTGRES = "cut_postgres_connections"
    CUT_VALKEY = "cut_valkey_connections"
    FREEZE_VALKEY = "freeze_valkey"
    KILL_VALKEY = "kill_valkey"


@dataclass(frozen=True, slots=True)
class Submission:
    """One notification: its number is in its `data`, so that every copy of it can be recognised anywhere."""

    number: int
    recipients: tuple[str, ...]
    channels: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        return {
            "recipients": list(self.recipients),
            "channels": list(self.channels),
            "content": {"title": f"No. {self.number}", "body": "It **rings**."},
            "data": {"n": self.number},
        }


@dataclass(frozen=True, slots=True)
class Request:
    """One POST, alone or in bulk. `cut_after` breaks its first try off after so many seconds; `again` repeats it when answered."""

    key: str
    at_seconds: float
    submissions: tuple[Submission, ...]
    cut_after: float | None
    again: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done to the platform, at a time counted from the beginning of the load."""

    at_seconds: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    seed: int
    seconds: float
    recipients: tuple[str, ...]
    requests: tuple[Request, ...]
    faults: tuple[Fault, ...]

    @property
    def submissions(self) -> list[Submission]:
        return [submission for request in self.requests for submission in request.submissions]


def draw(*, seed: int, accepted: int, kills: int, seconds: float, recipients: int = 40, largest: int = BULK) -> Plan:
    """The plan that belongs to a seed and these sizes; `largest` is how many notifications one request may hold."""
    rng = random.Random(seed)
    names = tuple(f"person-{number}" for number in range(recipients))
    return Plan(
        seed=seed,
        seconds=seconds,
        recipients=names,
        requests=tuple(_requests(rng, seed, accepted, seconds, names, largest)),
        faults=tuple(_faults(rng, kills, seconds)),
    )


def _requests(
    rng: random.Random, seed: int, accepted: int, seconds: float, names: tuple[str, ...], largest: int
) -> list[Request]:
    """Singles and bulks at a steady rate; a few are broken off by the caller, a few asked for twice."""
    requests: list[Request] = []
    number = 0
    while number < accepted:
        size = min(largest if rng.random() < 0.02 else 1, accepted - number)
        requests.append(
            Request(
                key=f"chaos-{seed}-{number}",
                at_seconds=seconds * number / accepted,
                submissions=tuple(_submission(rng, number + index, names) for index in range(size)),
                cut_after=rng.uniform(0, 0.03) if rng.random() < 0.03 else None,
                again=rng.random() < 0.03,
            )
        )
        number += size
    return requests


def _submission(rng: random.Random, number: int, names: tuple[str, ...]) -> Submission:
    chosen = [channel for channel, share in zip(CHANNELS, (0.9, 0.7, 0.4), strict=True) if rng.random() < share]
    return Submission(
        number=number,
        recipients=tuple(rng.sample(names, 2 if rng.random() < 0.2 else 1)),
        channels=tuple(chosen or CHANNELS[:1]),
    )


def _faults(rng: random.Random, kills: int, seconds: float) -> list[Fault]:
    """Every kind about equally often; spread over the run, none before there is something to harm."""
    kinds: list[Kind] = []
    while len(kinds) < kills:
        turn = list(Kind)[: kills - len(kinds)]
        rng.shuffle(turn)
        kinds += turn
    span = seconds * (1 - QUIET_START - QUIET_END)
    return [
        Fault(seconds * QUIET_START + span * (position + rng.random()) / kills, kind)
        for position, kind in enumerate(kinds)
    ]
