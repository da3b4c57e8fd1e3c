"""What the launcher writes: prefixed logs and its own remarks on stderr, the banner on stdout."""

import asyncio
import contextlib
import os
import sys
import zlib

LONGEST_LINE_BYTES = 64 * 1024
COLOURS = (31, 32, 33, 34, 35, 36)
WIDTH = 8


def write_line(name: str, text: str) -> None:
    """One line on stderr; a terminal that went away must not stop the platform."""
    prefix = f"{name:<{WIDTH}} |"
    if sys.stderr.isatty():
        prefix = f"\x1b[{COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]}m{prefix}\x1b[0m"
    with contextlib.suppress(OSError):
        print(prefix, text, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """A remark of the launcher itself."""
    write_line("carillon", text)


class LogPipe:
    """A pipe that children write to; complete lines come out on stderr with the children's name in front."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self._closed = False
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def close(self) -> None:
        """Write out what is left; nothing more happens when it is called again."""
        if self._closed:
            return
        self._closed = True
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self.write_end)
        self._read()
        if self._rest:
            self._write(self._rest)
        os.close(self._read_end)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._read_end, LONGEST_LINE_BYTES):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self._write(line)
                if len(self._rest) > LONGEST_LINE_BYTES:
                    self._write(self._rest)
                    self._rest = b""
        except BlockingIOError:
            pass

    def _write(self, line: bytes) -> None:
        write_line(self._name, line.decode(errors="replace").rstrip())
