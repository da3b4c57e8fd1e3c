"""`manage.py init_examples`: workflows to begin with, in the first project or another one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deploy.examples.loading import load_example, read_examples
from notifications import ids
from notifications.errors import Invalid
from notifications.models import Project


class Command(BaseCommand):
    """Run again it adds only what is missing; a workflow that has one of the keys is left as it is."""

    help = "Publish the example workflows: order-shipped, comment, login-code, weekly-report, incident."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", help="prj_... or the project's name; without it the first project")

    def handle(self, *args: Any, **options: Any) -> None:
        project = _project(options["project"])
        for example in read_examples():
            try:
                fresh = load_example(example, project_id=project.pk)
            except Invalid as error:  # this installation has no such channel
                self.stdout.write(f"{example.key}: left out. {error.detail}")
            else:
                self.stdout.write(f"{example.key}: {'published' if fresh else 'is there already'}")


def _project(given: str | None) -> Project:
    if given is None:
        project = Project.objects.order_by("id").first()
    else:
        project_id = ids.decode("prj", given)
        named = Project.objects.filter(id=project_id) if project_id else Project.objects.filter(name=given)
        project = named.first()
    if project is None:
        raise CommandError(
            f"There is no project {given}." if given else "There is no project yet; start Carillon once."
        )
    return project
