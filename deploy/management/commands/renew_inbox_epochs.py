"""`manage.py renew_inbox_epochs`: after the database was restored from a backup, every client loads its inbox anew.

Clients remember offsets that the restored database has never given out, or gives out once more for something else. With a
new epoch each of them is told `recovered: false`, sockets that are open within one ping (25 s).
"""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from notifications.inbox.epochs import renew_epochs
from notifications.models import Project


class Command(BaseCommand):
    """Safe while everything runs, and when called twice: clients load once more."""

    help = "Give every inbox a new epoch, so that clients load it anew. For after a restore from a backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", type=UUID, help="id of the one project to do it for (default: all)")

    def handle(self, *args: Any, project: UUID | None, **options: Any) -> None:
        if project is not None and not Project.objects.filter(id=project).exists():
            raise CommandError(f"There is no project {project}.")
        count = renew_epochs(project_id=project)
        self.stdout.write(f"{count} {'inbox has' if count == 1 else 'inboxes have'} a new epoch.")
