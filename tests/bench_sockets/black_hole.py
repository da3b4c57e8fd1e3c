"""The road to Redis, on which everything can vanish: connections stay open, what is sent on them arrives nowhere."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

AT_ONCE_BYTES: Final = 1 << 16


class Road:
    """A TCP port in front of a Unix socket."""

    def __init__(self, there: Path) -> None:
        self._there = there
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_open = True
        self.swallowed = 0
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self, seconds: float) -> None:
        """Swallow everything, in both directions; at the end cut what was open, for its streams have holes."""
        self._is_open = False
        await asyncio.sleep(seconds)
        self._is_open = True
        self._cut()

    async def aclose(self) -> None:
        self._server.close()
        self._cut()

    def _cut(self) -> None:
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._there)
        except OSError:
            writer.close()
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            self._writers -= pair

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(AT_ONCE_BYTES):
                if self._is_open:
                    writer.write(data)
                    await writer.drain()
                else:
                    self.swallowed += len(data)
        writer.close()
