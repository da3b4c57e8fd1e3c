"""Asks the platform whether it is ready, as an operator would: by its address."""

import asyncio
import contextlib

REQUEST_LIMIT_SECONDS = 5.0
PAUSE_SECONDS = 0.1


async def ask(host: str, port: int, path: str = "/readyz") -> tuple[int, str]:
    """Status and body of a GET; status 0 when nothing answered in time."""
    with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(REQUEST_LIMIT_SECONDS):
            return await _get(host, port, path)
    return 0, ""


async def _get(host: str, port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        shown_host = f"[{host}]" if ":" in host else host
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {shown_host}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read(65536)).decode(errors="replace")
    finally:
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split(" ", 2)[1]), body


async def wait_until_ready(host: str, port: int) -> None:
    """Return once /readyz answers 200."""
    while (await ask(host, port))[0] != 200:  # noqa: ASYNC110 (the event happens in another process)
        await asyncio.sleep(PAUSE_SECONDS)
