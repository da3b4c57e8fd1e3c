"""Beat's scheduler: the schedules of the database, and a heartbeat that says Beat is at it."""

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from delivery.heartbeats import BEAT, Heart


class HeartbeatScheduler(DatabaseScheduler):  # type: ignore[misc]  # no stubs
    """Beats with every round of Beat's own loop (at most five seconds apart), so a Beat that hangs is silent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._heart = Heart(BEAT)
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        interval = super().tick(*args, **kwargs)
        self._heart.beat()
        return interval

    def close(self) -> None:
        super().close()
        self._heart.end()
