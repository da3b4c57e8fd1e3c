"""One run of faults: load and harm at the same time, then quiet, then the books are compared."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.launcher.postgres import EmbeddedPostgres
from tests.chaos import compare
from tests.chaos.database import Database, View, read_api_states
from tests.chaos.driver import Driver
from tests.chaos.faults import Saboteur
from tests.chaos.plan import Plan
from tests.chaos.report import Report
from tests.chaos.setting import LEASE_SECONDS, Setting, open_setting

LISTENERS: Final = 10
SETTLED_SECONDS: Final = 120.0
SHARE_OF_DOUBLES: Final = 0.005


class Run:
    """A plan and what came of it."""

    def __init__(self, plan: Plan, *, progress: Progress, share_of_doubles: float = SHARE_OF_DOUBLES) -> None:
        self._plan = plan
        self._progress = progress
        self._share_of_doubles = share_of_doubles

    async def go(self) -> Report:
        """Do everything; the platform is gone when it returns."""
        async with open_setting(self._plan, listeners=LISTENERS) as setting:
            self._setting = setting
            platform = setting.platform
            self._database = Database(EmbeddedPostgres(platform.data_dir).url)
            self._driver = Driver(self._plan, url=platform.url, api_key=platform.api_key)
            rng = random.Random(f"{self._plan.seed} victims")
            self._saboteur = Saboteur(self._plan, platform, lease_seconds=LEASE_SECONDS, rng=rng)
            async with self._shown():
                started = time.monotonic()
                await asyncio.gather(self._driver.run(started), self._saboteur.run(started))
                settled = await self._settle()
                heads = await asyncio.to_thread(self._database.heads)
                await self._let_listeners_arrive(heads)
            states = await asyncio.to_thread(read_api_states, platform.http)
            view = await asyncio.to_thread(self._database.view, states)
            return self._judge(setting, view, settled)

    async def _settle(self) -> bool:
        """Wait until nothing is open any more; whether that came in time."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < deadline:
            progress = await asyncio.to_thread(self._database.progress)
            if progress is not None and progress[0] == 0:
                return True
            await asyncio.sleep(0.5)
        return False

    async def _let_listeners_arrive(self, heads: dict[str, int]) -> None:
        # Hints may have been lost: a ping's position frame comes every 25 s at the latest.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if all(ear.offset >= heads.get(ear.recipient, 0) for ear in self._setting.listeners):
                return
            await asyncio.sleep(0.2)

    @contextlib.asynccontextmanager
    async def _shown(self) -> AsyncIterator[None]:
        """Bars that follow the books."""
        expected = sum(len(each.recipients) * len(each.channels) for each in self._plan.submissions)
        finished = [0]
        bars: list[tuple[Any, Callable[[], int]]] = [
            (
                self._progress.add_task("accepted", total=len(self._plan.submissions)),
                lambda: len(self._driver.book.accepted),
            ),
            (self._progress.add_task("faults", total=len(self._plan.faults)), lambda: len(self._saboteur.done)),
            (self._progress.add_task("finished", total=expected), lambda: finished[0]),
        ]

        async def follow() -> None:
            while True:
                progress = await asyncio.to_thread(self._database.progress)
                finished[0] = progress[1] if progress else finished[0]
                for bar, count in bars:
                    self._progress.update(bar, completed=count())
                await asyncio.sleep(1)

        following = asyncio.create_task(follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            for bar, count in bars:
                self._progress.update(bar, completed=count())

    def _judge(self, setting: Setting, view: View, settled: bool) -> Report:
        plan, book, faults = self._plan, self._driver.book, sorted(self._saboteur.done, key=lambda done: done.at)
        hooks, mails = setting.receivers.book, setting.post_office.book
        last = max((fault.until for fault in faults), default=0.0)
        ends = [row.finished_at for row in view.deliveries if row.finished_at is not None]
        waits = [row.finished_at - max(row.created_at, last) for row in view.deliveries if row.finished_at is not None]
        losses = compare.find_losses(plan.submissions, book.accepted, view, hooks, mails)
        hook_copies = compare.find_copies("webhook", hooks, view, faults, reach_seconds=LEASE_SECONDS)
        mail_copies = compare.find_copies("email", mails, view, faults, reach_seconds=LEASE_SECONDS)
        report = Report(
            title=f"Carillon under fire, seed {plan.seed}",
            head={
                "seed": plan.seed,
                "asked": {"accepted": len(plan.submissions), "kills": len(plan.faults), "seconds": plan.seconds},
            },
            tail={
                "losses": {name: len(found) for name, found in vars(losses).items()},
                "doubles": {"webhook": hook_copies.as_json(), "email": mail_copies.as_json()},
                "misbehaved": {
                    "webhook": dict(sorted(hooks.misbehaved.items())),
                    "email": dict(sorted(mails.misbehaved.items())),
                },
                "faults": [
                    {
                        "kind": fault.kind,
                        "at_seconds": round(fault.at - faults[0].at, 2),
                        "mended_seconds": fault.mended_seconds,
                    }
                    for fault in faults
                ],
            },
        )
        report.note("seed", plan.seed)
        report.check(
            "accepted", len(book.accepted), str(len(plan.submissions)), len(book.accepted) == len(plan.submissions)
        )
        report.note("deliveries", len(view.deliveries))
        report.note("kills", len(faults))
        report.note("kills_by_kind", dict(sorted(Counter(str(fault.kind) for fault in faults).items())))
        report.none("faults_not_mended", self._saboteur.failed)
        report.note("requests_without_answer", book.unanswered)
        report.note("requests_refused", book.refused)
        report.none("wrong_answers", book.wrong)
        report.none("lost", losses.all)
        report.none("in_app_doubles", compare.find_doubles(view))
        report.none("doubles_under_one_key", compare.find_key_doubles(view))
        report.check("other_id_on_repeat", book.other_ids, "0", book.other_ids == 0)
        report.note("webhook_doubles_after_kill", hook_copies.after_kill)
        report.within(
            "webhook_doubles_after_kill",
            100 * hook_copies.share_after_kill,
            100 * self._share_of_doubles,
            unit="percent",
        )
        report.note("webhook_doubles_after_cut", hook_copies.after_cut)
        report.none("webhook_doubles_unexplained", hook_copies.unexplained)
        report.note("mail_doubles_after_kill", mail_copies.after_kill)
        report.note("mail_doubles_after_cut", mail_copies.after_cut)
        report.none("mail_doubles_unexplained", mail_copies.unexplained)
        report.none("invalid_signatures", hooks.invalid)
        report.none("invalid_mails", mails.invalid)
        self._judge_listeners(report, view)
        report.none("laws_broken", view.broken_laws)
        report.none("api_and_database_differ", compare.find_differences(view))
        report.note("longest_wait_after_last_fault_s", round(max(waits, default=0.0), 2))
        report.check("all_terminal", settled, "yes", settled)
        report.within(
            "all_terminal_after_last_fault", max(ends, default=0.0) - last if faults else 0.0, SETTLED_SECONDS
        )
        return report

    def _judge_listeners(self, report: Report, view: View) -> None:
        ears = self._setting.listeners
        told: dict[str, list[str]] = {ear.recipient: [] for ear in ears}
        for message in view.messages:
            if message.recipient in told:
                told[message.recipient].append(message.id)
        report.note("socket_connects", sum(ear.connects for ear in ears))
        report.note("socket_changes", sum(ear.offset for ear in ears))
        report.none("socket_gaps", [f"{ear.recipient}: {text}" for ear in ears for text in ear.gaps])
        report.none("socket_doubles_or_disorder", [f"{ear.recipient}: {text}" for ear in ears for text in ear.doubles])
        report.none("socket_refusals", [f"{ear.recipient}: {text}" for ear in ears for text in ear.refused])
        report.none(
            "sockets_that_missed_something",
            [
                f"{ear.recipient}: at {ear.offset} of {view.heads.get(ear.recipient, 0)}, {len(ear.created)} of {len(told[ear.recipient])} messages"
                for ear in ears
                if ear.created != told[ear.recipient] or ear.offset != view.heads.get(ear.recipient, 0)
            ],
        )


def bars(**options: Any) -> Progress:
    """How a run shows itself."""
    return Progress(
        TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), **options
    )
