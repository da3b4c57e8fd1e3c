"""The decision whether a client that comes back can be given exactly what it missed."""

from typing import Any

from notifications.inbox.reads import Head


def resume_offset(epoch: Any, offset: Any, head: Head) -> int | None:
    """The offset after which to replay if the log is kept that far, or None when the client has to load anew."""
    if epoch != str(head.epoch) or isinstance(offset, bool) or not isinstance(offset, int):
        return None
    return offset if 0 <= offset <= head.offset else None


def is_kept(offset: int, head: Head, oldest: int | None) -> bool:
    """Whether everything after `offset` is still in the log, whose first entry is `oldest`."""
    return offset == head.offset or (oldest is not None and oldest <= offset + 1)
