"""Many clients in one process, obedient to its stdin: `python -m tests.bench_sockets.client`.

Raw sockets on one epoll, a few microseconds for each frame, so that no server here waits for its clients; what the process
cost is part of every answer. Times are readings of the monotonic clock, which all processes of a machine share.
"""

import json
import re
import resource
import select
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench_sockets import wire

IN_FLIGHT: Final = 128
BIND_ADDRESS_NO_PORT: Final = 24  # Linux: the port is chosen with the connection, so that each source has all of them
AT_ONCE_BYTES: Final = 1 << 18
ABORT: Final = struct.pack("ii", 1, 0)
MARK: Final = re.compile(rb"mark-(\d+);")
OFFSET: Final = re.compile(rb'"offset":(\d+)')


@dataclass(kw_only=True)
class Dialect:
    """How one server is spoken to. A client is ready with the 101, or with the first frame that contains `ready`."""

    ready: str = ""
    greet_after: str = ""
    """Text in a frame after which the greeting is sent; at once when empty."""
    answers: dict[str, str] = field(default_factory=dict)
    """Text frames that are answered by another (heartbeats above WebSocket's own)."""
    follow: bool = False
    """Check that the offsets of changes grow by one."""


@dataclass(slots=True)
class Peer:
    """One client."""

    socket: socket.socket
    number: int
    request: bytes
    greeting: str
    rest: bytes = b""
    upgraded: bool = False
    ready: bool = False
    greeted: bool = False
    offset: int = -1
    was_ready: float = 0.0


class Crowd:
    """All clients of this process."""

    def __init__(self) -> None:
        self.dialect = Dialect()
        self.peers: dict[int, Peer] = {}
        self.waiting: list[dict[str, Any]] = []
        self.opening = 0
        self.ready = 0
        self.last_ready = 0.0
        self.marks: Counter[int] = Counter()
        self.seen: dict[int, float] = {}
        self.closed: Counter[str] = Counter()
        self.faults: list[str] = []
        self.changes = 0
        self._poll = select.epoll()
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Until stdin ends."""
        stdin = sys.stdin.fileno()
        while True:
            for fd, _ in self._poll.poll(1.0):
                if fd != stdin:
                    self._read(fd)
                elif line := sys.stdin.readline():
                    order = json.loads(line)
                    work: Callable[..., Any] = getattr(self, "do_" + order.pop("do"))
                    print(json.dumps(work(**order) or {}), flush=True)
                else:
                    return

    def do_connect(
        self, *, host: str, port: int, sources: list[str], clients: str, begin: int, end: int, dialect: dict[str, Any]
    ) -> dict[str, float]:
        """Open sockets for the lines from `begin` to `end` of the file `clients`; answers when all have been tried."""
        self.dialect = Dialect(**dialect)
        lines = [json.loads(line) for line in Path(clients).read_text().splitlines()[begin:end]]
        self.waiting = [{**line, "number": begin + at} for at, line in enumerate(lines)]
        self._where = (host, port, sources)
        self.ready, began = 0, time.monotonic()
        while self.opening or self.waiting:
            while self.waiting and self.opening < IN_FLIGHT:
                self._open(**self.waiting.pop())
            for fd, _ in self._poll.poll(1.0):
                if fd != sys.stdin.fileno():
                    self._read(fd)
        return {"began": began, "ended": self.last_ready, "ready": self.ready}

    def do_report(self) -> dict[str, Any]:
        """What was seen since `reset`, and what this process has cost so far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "marks": self.marks,
            "seen": self.seen,
            "open": len(self.peers),
            "closed": self.closed,
            "faults": self.faults[:20],
            "changes": self.changes,
            "cpu": usage.ru_utime + usage.ru_stime,
        }

    def do_offsets(self) -> dict[str, Any]:
        """The last offset each client knows, by its number."""
        return {"offsets": {peer.number: peer.offset for peer in self.peers.values()}}

    def do_reset(self) -> None:
        self.marks.clear()
        self.seen.clear()

    def do_leave(self) -> None:
        """End all sockets at once, leaving no ports in TIME_WAIT."""
        for fd in list(self.peers):
            sock = self._forget(fd)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            sock.close()
        self.closed.clear()

    def _open(self, *, number: int, path: str, greeting: str = "") -> None:
        host, port, sources = self._where
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
        sock.bind((sources[number % len(sources)], 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.opening += 1
        try:
            sock.connect((host, port))  # loopback: waits for nothing but the backlog
        except OSError as error:
            self.opening -= 1
            self.closed[f"connect: {error.strerror}"] += 1
            return
        sock.setblocking(False)
        sock.send(wire.upgrade_request(f"{host}:{port}", path))
        self.peers[sock.fileno()] = Peer(sock, number, b"", greeting)
        self._poll.register(sock.fileno(), select.EPOLLIN)

    def _read(self, fd: int) -> None:
        peer = self.peers.get(fd)
        if peer is None:
            return
        try:
            data = peer.socket.recv(AT_ONCE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(fd, f"error: {error.strerror}")
            return
        if not data:
            self._lose(fd, "without a close frame")
            return
        if peer.rest:
            data = peer.rest + data
        if not peer.upgraded:
            head, complete, data = data.partition(b"\r\n\r\n")
            if not complete:
                peer.rest = head
                return
            if not wire.upgraded(head):
                self._lose(fd, head[:12].decode())
                return
            peer.upgraded = True
            if not self.dialect.greet_after:
                self._greet(peer)
            if not self.dialect.ready:
                self._be_ready(peer)
        self._take(peer, fd, data)

    def _take(self, peer: Peer, fd: int, data: bytes) -> None:
        last = 0
        for opcode, start, last in wire.split_frames(data):
            if opcode == wire.TEXT:
                self._text(peer, data[start:last])
            elif opcode == wire.PING:
                peer.socket.send(wire.client_frame(data[start:last], wire.PONG))
            elif opcode == wire.CLOSE:
                self._lose(fd, str(int.from_bytes(data[start : start + 2], "big")))
                return
        peer.rest = data[last:]

    def _text(self, peer: Peer, text: bytes) -> None:
        if found := MARK.search(text):
            number = int(found[1])
            self.marks[number] += 1
            self.seen[number] = time.monotonic()
            if self.dialect.follow:
                self._follow(peer, text)
            return
        dialect = self.dialect
        if not peer.ready:
            if not peer.greeted and dialect.greet_after and text.startswith(dialect.greet_after.encode()):
                self._greet(peer)
            elif dialect.ready and dialect.ready.encode() in text:
                if dialect.follow:
                    peer.offset = _offset(text)
                self._be_ready(peer)
        elif answer := dialect.answers.get(text[:16].decode(errors="replace")):
            peer.socket.send(wire.client_frame(answer.encode()))
        elif dialect.follow:
            self._follow(peer, text)

    def _follow(self, peer: Peer, text: bytes) -> None:
        offset = _offset(text)
        if b'"event":"position"' in text[:24]:
            expected = peer.offset
        else:
            expected = peer.offset + 1
            self.changes += 1
        if offset != expected:
            self.faults.append(f"client {peer.number}: {offset} after {peer.offset}")
        peer.offset = max(peer.offset, offset)

    def _greet(self, peer: Peer) -> None:
        peer.greeted = True
        if peer.greeting:
            peer.socket.send(wire.client_frame(peer.greeting.encode()))
            peer.greeting = ""

    def _be_ready(self, peer: Peer) -> None:
        peer.ready = True
        self.opening -= 1
        self.ready += 1
        self.last_ready = time.monotonic()

    def _lose(self, fd: int, why: str) -> None:
        if not self.peers[fd].ready:
            self.opening -= 1
        self.closed[why] += 1
        self._forget(fd).close()

    def _forget(self, fd: int) -> socket.socket:
        peer = self.peers.pop(fd)
        self._poll.unregister(fd)
        return peer.socket


def _offset(text: bytes) -> int:
    found = OFFSET.search(text)
    return int(found[1]) if found else -1


if __name__ == "__main__":
    Crowd().run()
