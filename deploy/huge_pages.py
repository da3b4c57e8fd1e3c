"""The memory of this process in huge pages, where Linux has them on demand (6.1 and newer).

A server with ten thousand sockets touches objects all over some two hundred megabytes for one broadcast, and with pages of 4 KB nearly
every touch begins with a walk through the page tables. Beside `make bench-sockets`, a broadcast cost such a process a fourth less CPU
with huge pages. Python's allocator asks for its arenas by the megabyte, so the kernel finds no occasion by itself.

madvise(2), MADV_COLLAPSE: a copy of 2 MB, during which whoever touches this part waits (about a millisecond). Only what is nearly
full already is collapsed, so that memory hardly grows.
"""

import ctypes
import mmap
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_MADV_COLLAPSE: Final = 25
_FULL: Final = 0.9
_LARGEST_BYTES: Final = 4 << 20
_LOOK_SECONDS: Final = 1.0
_LOOK_AGAIN_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.005
_SIZE_FILE: Final = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")


class HugePages:
    """`look` collapses what can be; `size` is that of a huge page in bytes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._present = (ctypes.c_ubyte * (size // mmap.PAGESIZE))()

    def look(self) -> tuple[int, int]:
        """How many parts of memory are in huge pages now, and how many the kernel refused."""
        done = refused = 0
        for address in parts(Path("/proc/self/maps").read_text(), self.size):
            if self._is_full(address):
                start, length = ctypes.c_void_p(address), ctypes.c_size_t(self.size)
                if self._libc.madvise(start, length, _MADV_COLLAPSE) == 0:
                    done += 1
                else:
                    refused += 1
                time.sleep(_PAUSE_SECONDS)
        return done, refused

    def _is_full(self, address: int) -> bool:
        """Whether nearly all of it is in memory: what is not would be from then on (the stack of a thread)."""
        if self._libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(self.size), self._present) != 0:
            return False
        return sum(bytes(self._present)) >= len(self._present) * _FULL


def parts(maps: str, size: int) -> Iterator[int]:
    """Addresses of whole huge pages within private, writable memory that is of no file; `maps` as in proc_pid_maps(5)."""
    for line in maps.splitlines():
        span, access, _, _, inode, *name = line.split(maxsplit=5)
        if access == "rw-p" and inode == "0" and (not name or name[0] == "[heap]"):
            begin, end = (int(bound, 16) for bound in span.split("-"))
            yield from range(-(-begin // size) * size, end - size + 1, size)


def use_huge_pages() -> None:
    """Look every now and then, as memory grows, in a thread that ends with the process. Does nothing where there are none."""
    try:
        size = int(_SIZE_FILE.read_text())
    except (OSError, ValueError):
        return
    if sys.platform == "linux" and size <= _LARGEST_BYTES:
        threading.Thread(target=_keep_looking, args=(HugePages(size),), name="huge-pages", daemon=True).start()


def _keep_looking(pages: HugePages) -> None:
    seen, looked_at = 0, 0.0
    while True:
        time.sleep(_LOOK_SECONDS)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
        if resident - seen < pages.size and time.monotonic() - looked_at < _LOOK_AGAIN_SECONDS:
            continue
        done, refused = pages.look()
        if refused and not done:
            log.info("huge_pages_refused")
            return
        seen, looked_at = resident, time.monotonic()
