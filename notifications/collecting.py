"""Python's cyclic garbage collector in long-lived processes that make many short-lived objects."""

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 20)


def collect_seldom() -> None:
    """Leave what was loaded at the start out of every collection, and collect the rest less often.

    Call it once everything is imported. Nearly all garbage here is freed by reference counts; with the default thresholds over a fifth of
    a busy process's time went into looking for cycles (measured with `make bench`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
