"""One child process: started, its log prefixed, started again when it dies, stopped for sure."""

import asyncio
import contextlib
import os
import signal
import time

from deploy.launcher.console import LogPipe, say
from deploy.launcher.programs import Program

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 10.0
STEADY_AFTER_SECONDS = 60.0
KILL_PATIENCE_SECONDS = 2.0


def next_delay(delay: float, lived_seconds: float) -> float:
    """How long to wait before the next start: doubles while starts fail, begins anew after a steady run."""
    if lived_seconds >= STEADY_AFTER_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(delay * 2, LONGEST_DELAY_SECONDS)


def describe_end(return_code: int) -> str:
    """How a process ended, in words."""
    if return_code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-return_code).name}"
        return f"was ended by signal {-return_code}"
    return f"ended with status {return_code}"


class Supervised:
    """Runs a program until told to stop. Lives on the main thread's loop (see `Program.popen_options`)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.deaths = 0
        self._log = LogPipe(program.name)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and keep it running from now on."""
        await self._spawn()
        self._task = asyncio.create_task(self._keep_running(), name=self.program.name)

    async def run_once(self) -> int:
        """Start the process, wait for its end and give its status."""
        process = await self._spawn()
        return await process.wait()

    async def stop(self, *, grace_seconds: float, hurry: asyncio.Event) -> None:
        """Ask the process to end, and end it when its time is up or `hurry` is set; returns when it is gone."""
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None:
            _signal(process, self.program.stop_signal)
            again = self.program.ask_again_after_seconds
            if again and not await _ended(process, again, hurry):
                _signal(process, self.program.stop_signal)
            if not await _ended(process, grace_seconds, hurry):
                say(f"{self.program.name} did not stop in time and is killed")
                _kill_group(process)
                await _ended(process, KILL_PATIENCE_SECONDS, asyncio.Event())
        if process is not None:
            _kill_group(process)
        if self._task is not None:
            await self._task
        self._log.close()

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.program.before_start is not None:
            await asyncio.to_thread(self.program.before_start)
        self._process = await asyncio.create_subprocess_exec(
            *self.program.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log.write_end,
            stderr=self._log.write_end,
            **self.program.popen_options(),
        )
        return self._process

    async def _keep_running(self) -> None:
        delay = FIRST_DELAY_SECONDS
        while self._process is not None:
            started = time.monotonic()
            status = await self._process.wait()
            if self._stopping.is_set():
                return
            _kill_group(self._process)
            self.deaths += 1
            say(f"{self.program.name} {describe_end(status)}; starting it again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            if self._stopping.is_set():
                return
            delay = next_delay(delay, time.monotonic() - started)
            process = await self._spawn()
            if self._stopping.is_set():  # `stop` came while the process was being made and has not seen it
                _kill_group(process)


async def _ended(process: asyncio.subprocess.Process, patience_seconds: float, hurry: asyncio.Event) -> bool:
    waiting = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(hurry.wait())]
    try:
        await asyncio.wait(waiting, timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
    return process.returncode is not None


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """Whatever the process left in its group ends with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
