"""Load under which things are killed, and the driver's own ledger of what was accepted."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from tests.e2e.customer import Json, submission
from tests.fixtures.platform import Platform, wait_for

THREADS: Final = 6
BULK: Final = 50
PATIENCE_SECONDS: Final = 60.0


class Driver:
    """Submits `count` notifications from several threads, one by one and in bulk.

    What gets no 202 is repeated with its Idempotency-Key until it does, as a careful application does it. `ledger` maps
    each submission to the id that its 202 gave.
    """

    def __init__(self, platform: Platform, recipients: list[str], channels: list[str], count: int, name: str) -> None:
        self.ledger: dict[str, str] = {}
        self.unanswered = 0
        self.count = count
        self._platform = platform
        self._recipients = recipients
        self._channels = channels
        self._name = name
        self._guard = threading.Lock()
        self._work: Iterator[list[int]] = self._portions()
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, name=f"driver-{n}", daemon=True) for n in range(THREADS)]

    def __enter__(self) -> "Driver":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def when_accepted(self, count: int, harm: Callable[[], Any]) -> None:
        """Do `harm` as soon as `count` have been accepted."""
        wait_for(
            lambda: len(self.ledger) >= count or self._errors,
            timeout_seconds=PATIENCE_SECONDS,
            what=f"{count} to be accepted",
        )
        assert not self._errors, self._errors
        harm()

    def finish(self) -> list[str]:
        """The ids of everything accepted, once all is."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        assert not self._errors, self._errors
        assert len(self.ledger) == self.count
        return list(self.ledger.values())

    def _portions(self) -> Iterator[list[int]]:
        """Half of it one by one, half in bulk."""
        start = 0
        while start < self.count:
            for size in [1] * BULK + [BULK]:
                yield list(range(start, min(start + size, self.count)))
                start = min(start + size, self.count)

    def _run(self) -> None:
        try:
            with httpx.Client(
                base_url=self._platform.url,
                headers={"Authorization": f"Bearer {self._platform.api_key}"},
                timeout=15,
                trust_env=False,
            ) as client:
                while True:
                    with self._guard:
                        portion = next(self._work, [])
                    if not portion:
                        return
                    self._submit(client, portion)
        except BaseException as error:
            self._errors.append(error)

    def _submit(self, client: httpx.Client, portion: list[int]) -> None:
        bodies = [
            submission([self._recipients[n % len(self._recipients)]], self._channels, data={"n": n}) for n in portion
        ]
        if len(bodies) == 1:
            answers = [self._post(client, "/v1/notifications", bodies[0], f"{self._name}-{portion[0]}")]
        else:
            body = {"notifications": bodies}
            answers = self._post(client, "/v1/notifications/bulk", body, f"{self._name}-b{portion[0]}")["data"]
        with self._guard:
            self.ledger |= {f"{self._name}-{n}": answer["id"] for n, answer in zip(portion, answers, strict=True)}

    def _post(self, client: httpx.Client, path: str, body: Json, key: str) -> Json:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = client.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 202:
                accepted: Json = answer.json()
                return accepted
            # Nothing else may be said while things are killed: nobody there, or an honest 503.
            assert answer is None or answer.status_code == 503, f"{answer.status_code} {answer.text}"
            assert time.monotonic() < deadline, f"{key} was not accepted within {PATIENCE_SECONDS:g} s"
            with self._guard:
                self.unanswered += 1
            time.sleep(0.1)
