"""A TCP proxy that loses answers: the request arrives and is served, and nobody hears of it."""

import asyncio
import re

from tests.fixtures.receivers import LoopThread

_KEY = re.compile(rb"^idempotency-key: *(\S+)\r$", re.IGNORECASE | re.MULTILINE)


class LossyProxy:
    """Forwards to a port of this host; `lose(n)` cuts the connection in place of each of the next `n` answers."""

    def __init__(self, thread: LoopThread, port: int) -> None:
        self.keys: list[str] = []  # the Idempotency-Key of each request that carried one
        self.lost = 0
        self._left = 0
        self._port = port
        self._server = thread.call(self._listen())
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def lose(self, answers: int) -> None:
        self._left = answers
        self.lost = 0
        self.keys.clear()

    async def aclose(self) -> None:
        self._server.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        forward = asyncio.create_task(self._forward(reader, up_writer))
        try:
            while part := await up_reader.read(65_536):
                if self._left:
                    self._left -= 1
                    self.lost += 1
                    writer.transport.abort()
                    return
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            forward.cancel()
            for end in (writer, up_writer):
                end.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while part := await reader.read(65_536):
                self.keys += [found.decode() for found in _KEY.findall(part)]
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
