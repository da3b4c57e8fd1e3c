"""`manage.py rotate_secrets`: everything sealed is sealed again with the first of CARILLON_ENCRYPTION_KEYS.

Safe while everything runs: a value is replaced only if it still is what was read, and nothing is locked beyond a
single batch of updates. Stopped half-way, it goes on when called again: what is done already is recognised.
"""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from notifications.rotation import ColumnResult, rotate_all

_BATCH: Final = 500


class Command(BaseCommand):
    """Exit status 1 when something could not be opened: no key may be taken away then."""

    help = "Seal all stored secrets again with the first key of CARILLON_ENCRYPTION_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=_BATCH, help="rows per transaction (default %(default)s)")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch must be at least 1")
        results = rotate_all(batch=batch, on_progress=self._say)
        broken = [result for result in results if result.broken]
        for result in broken:
            rows = ", ".join(str(pk) for pk in result.broken[:10])
            self.stderr.write(f"{result.name}: no configured key opens {len(result.broken)} rows: {rows}")
        if broken:
            raise CommandError("Keep every key that is configured now, add the missing one and run this again.")
        resealed = sum(result.resealed for result in results)
        self.stdout.write(f"{resealed} sealed again. Only the first key of CARILLON_ENCRYPTION_KEYS is needed now.")

    def _say(self, result: ColumnResult) -> None:
        self.stdout.write(f"{result.name}: {result.seen} looked at, {result.resealed} sealed again")
