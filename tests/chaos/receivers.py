"""The receivers of webhooks: verify every signature with the reference library, and are not always at their best."""

import asyncio
import random
from collections import Counter
from typing import Final

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.chaos.arrivals import ReceiverBook

# Shares of all requests; each delivery is treated badly at most so many times.
REFUSE, RESET, HANG, CUT, SLOW = 0.03, 0.02, 0.003, 0.005, 0.05
MOST_BAD: Final = 3
HANG_SECONDS: Final = 12.0


class Receivers:
    """One HTTP server; every recipient has a path and a secret."""

    def __init__(self, rng: random.Random) -> None:
        self.book = ReceiverBook()
        self.secrets: dict[str, Webhook] = {}
        self.url = ""
        self._rng = rng
        self._bad: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        application = web.Application()
        application.router.add_post("/{recipient}", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def aclose(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        name = request.headers.get("webhook-id", "")
        try:
            self.secrets[request.match_info["recipient"]].verify(body, dict(request.headers))
        except (WebhookVerificationError, KeyError) as error:
            self.book.invalid.append(f"{name}: {error}")
        what = self._mood(name)
        if what:
            self.book.misbehaved[what] += 1
        if what in ("refuse", "reset", "hang"):
            self.book.note(name, taken=False)
            return await self._refuse(request, what)
        await asyncio.sleep(self._rng.uniform(0.3, 0.8) if what == "slow" else self._rng.uniform(0, 0.03))
        self.book.note(name, taken=True, answered=what != "cut")
        if what == "cut":
            _reset(request)
        return web.Response(text="ok")

    async def _refuse(self, request: web.Request, what: str) -> web.Response:
        if what == "hang":
            await asyncio.sleep(HANG_SECONDS)
        elif what == "reset":
            _reset(request)
        return web.Response(status=500, text="not now")

    def _mood(self, name: str) -> str:
        drawn = self._rng.random()
        for what, share in (("refuse", REFUSE), ("reset", RESET), ("hang", HANG), ("cut", CUT), ("slow", SLOW)):
            if drawn < share:
                if what == "slow":
                    return what
                self._bad[name] += 1
                return what if self._bad[name] <= MOST_BAD else ""
            drawn -= share
        return ""


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
