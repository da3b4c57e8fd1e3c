"""Memory in huge pages: only what is ours and full, and nothing changes but the pages."""

import mmap
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.huge_pages import HugePages, parts

SIZE: Final = 2 << 20
MAPS: Final = """\
55d0c0000000-55d0c0021000 r-xp 00000000 fe:00 1311 /usr/bin/python3.11
55d0c1000000-55d0c1500000 rw-p 00000000 00:00 0                          [heap]
7f0000100000-7f0000700000 rw-p 00000000 00:00 0
7f0001000000-7f0001200000 rw-p 00000000 fe:00 1312 /usr/lib/libc.so.6
7f0002000000-7f0002200000 rw-s 00000000 00:01 77 /dev/zero (deleted)
7f0003000000-7f0003200000 ---p 00000000 00:00 0
7ffd00000000-7ffd00200000 rw-p 00000000 00:00 0                          [stack]
"""
GROWN: Final = """
import re, sys
from pathlib import Path
from deploy.huge_pages import HugePages

def huge():
    return int(re.search(r"AnonHugePages:\\s+(\\d+)", Path("/proc/self/smaps_rollup").read_text())[1]) * 1024

kept = [[number, str(number)] for number in range(400_000)]
before = huge()
pages = HugePages(int(sys.argv[1]))
done, refused = pages.look()
assert kept == [[number, str(number)] for number in range(400_000)]
print(done, refused, (huge() - before) // pages.size, len(kept))
"""


def test_only_memory_of_our_own_is_named() -> None:
    heap = [0x55D0C1000000, 0x55D0C1200000]
    assert list(parts(MAPS, SIZE)) == [*heap, 0x7F0000200000, 0x7F0000400000]


def test_what_lies_empty_is_left_alone() -> None:
    with mmap.mmap(-1, 3 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = bytes(len(memory))
        pages = HugePages(SIZE)
        here = [at for at in parts(Path("/proc/self/maps").read_text(), SIZE) if pages._is_full(at)]
        memory.madvise(mmap.MADV_DONTNEED)
        after = [at for at in here if pages._is_full(at)]
        assert 2 <= len(here) - len(after) <= 3


def test_a_process_goes_on_in_huge_pages() -> None:
    size_file = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
    size = size_file.read_text().strip() if size_file.exists() else str(SIZE)
    ran = subprocess.run([sys.executable, "-c", GROWN, size], check=True, capture_output=True, text=True, timeout=60)
    done, refused, grown, kept = map(int, ran.stdout.split())
    assert kept == 400_000
    if done:  # what the kernel says it has done is to be seen
        assert grown >= done * 0.9
        assert done >= 10
    else:  # Linux before 6.1 refuses
        assert refused >= 10
