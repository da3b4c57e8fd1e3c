"""The caller: sends every request of the plan and keeps its own book of what was answered.

What gets no 202 is repeated with its Idempotency-Key until it does, as a careful application does it. Some answers are
not waited for, and some requests are asked for once more although they were answered.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.chaos.plan import Plan, Request

CALLERS: Final = 16
PATIENCE_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 0.1


@dataclass
class CallerBook:
    """`accepted` maps a submission's number to the id its 202 gave; `wrong` are answers nobody should get."""

    accepted: dict[int, str] = field(default_factory=dict)
    accepted_at: dict[int, float] = field(default_factory=dict)
    unanswered: int = 0
    refused: int = 0
    replayed: int = 0
    other_ids: int = 0
    wrong: list[str] = field(default_factory=list)


class Driver:
    """Runs the plan's requests at their times; late ones go out as fast as they are answered."""

    def __init__(self, plan: Plan, *, url: str, api_key: str) -> None:
        self.book = CallerBook()
        self._plan = plan
        self._url = url
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def run(self, started: float) -> None:
        """Send everything; `started` is the run's zero on the monotonic clock."""
        queue: asyncio.Queue[Request] = asyncio.Queue()
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(self._url, headers=self._headers, timeout=timeout) as session:
            callers = [asyncio.create_task(self._call(session, queue)) for _ in range(CALLERS)]
            try:
                for request in self._plan.requests:
                    await asyncio.sleep(max(0.0, started + request.at_seconds - time.monotonic()))
                    queue.put_nowait(request)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await queue.join()
            except TimeoutError:
                self.book.wrong.append(f"{queue.qsize()} requests were not accepted within {PATIENCE_SECONDS:g} s")
            finally:
                for caller in callers:
                    caller.cancel()
                await asyncio.gather(*callers, return_exceptions=True)

    async def _call(self, session: aiohttp.ClientSession, queue: "asyncio.Queue[Request]") -> None:
        while True:
            request = await queue.get()
            try:
                if request.cut_after is not None:
                    await self._break_off(session, request)
                self._note(request, await self._insist(session, request))
                if request.again:
                    self.book.replayed += 1
                    self._note(request, await self._insist(session, request))
            except Exception as error:
                self.book.wrong.append(f"{request.key}: {type(error).__name__} {error}"[:300])
            finally:
                queue.task_done()

    async def _break_off(self, session: aiohttp.ClientSession, request: Request) -> None:
        """Send it and hang up, whatever has become of it."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(request.cut_after):
                await self._post(session, request)
        self.book.unanswered += 1

    async def _insist(self, session: aiohttp.ClientSession, request: Request) -> Any:
        """Ask until there is a 202; its body."""
        while True:
            try:
                status, kind, body = await self._post(session, request)
            except (TimeoutError, aiohttp.ClientError):
                self.book.unanswered += 1
            else:
                if status == 202:
                    return body
                # Nothing else may be said while things are killed: an honest 503, or a first try that still runs.
                if status not in (409, 503) or kind != "application/problem+json":
                    self.book.wrong.append(f"{request.key}: {status} {kind} {str(body)[:200]}")
                self.book.refused += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _post(self, session: aiohttp.ClientSession, request: Request) -> tuple[int, str, Any]:
        path, body = "/v1/notifications", request.submissions[0].body()
        if len(request.submissions) > 1:
            path, body = "/v1/notifications/bulk", {"notifications": [each.body() for each in request.submissions]}
        async with session.post(path, json=body, headers={"Idempotency-Key": request.key}) as answer:
            return answer.status, answer.content_type, await answer.json(content_type=None)

    def _note(self, request: Request, body: Any) -> None:
        answers = body["data"] if len(request.submissions) > 1 else [body]
        for submission, answer in zip(request.submissions, answers, strict=True):
            known = self.book.accepted.setdefault(submission.number, answer["id"])
            self.book.accepted_at.setdefault(submission.number, time.time())
            self.book.other_ids += known != answer["id"]
