"""One ASGI server process on a listening socket that the launcher opened: `python -m deploy.web --fd N`."""

import argparse
import socket
import sys

import uvicorn

from deploy.http_protocol import GuardedHttpProtocol
from deploy.huge_pages import use_huge_pages
from deploy.socket_protocol import LeanSocketProtocol

GRACE_SECONDS = 12
KEEP_ALIVE_SECONDS = 65
FRAME_LIMIT_BYTES = 64 * 1024


class DrainingServer(uvicorn.Server):
    """Tells inbox sockets and event streams to resume elsewhere before uvicorn closes what is left."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # Only a process that has served an inbox has these; importing them now would be wasted time.
        hub = sys.modules.get("consumers.hub")
        if hub is not None:
            await hub.drain()
        inbox = sys.modules.get("notifications.inbox.process")
        if inbox is not None:
            await inbox.drain_inbox()
        await super().shutdown(sockets)


def server_config() -> uvicorn.Config:
    """Each setting away from uvicorn's default was measured or asked for; see the ADR on the lean handler."""
    return uvicorn.Config(
        app="deploy.asgi:application",
        loop="uvloop",
        http=GuardedHttpProtocol,
        ws=LeanSocketProtocol,
        ws_per_message_deflate=False,
        # Inbox sockets have a position frame every 25 s, written and timed by one clock for all of them.
        ws_ping_interval=None,
        # A frame slightly too large must reach the consumer, which answers with its own close code.
        ws_max_size=4 * FRAME_LIMIT_BYTES,
        backlog=4096,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def notice_dead_peers(listener: socket.socket) -> None:
    """Let the kernel end connections whose other side vanished without a word; accepted sockets inherit it (Linux)."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4), ("TCP_USER_TIMEOUT", 120_000)):
        if listener.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="deploy.web", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="number of the inherited listening socket")
    listener = socket.socket(fileno=parser.parse_args().fd)
    listener.setblocking(False)
    notice_dead_peers(listener)
    use_huge_pages()
    DrainingServer(server_config()).run(sockets=[listener])


if __name__ == "__main__":
    main()
