"""`manage.py create_dkim_key example.org`: a key that signs mail, and the DNS record to publish."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from delivery.dkim_keys import create_dkim_key, zone_line
from delivery.models import DkimKey
from notifications import ids
from notifications.errors import Conflict
from notifications.models import Project


class Command(BaseCommand):
    """The private key is stored encrypted and shown nowhere."""

    help = "Make a DKIM key for a sending domain and print its DNS record. It signs once it is active."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", help="what stands after the @ of the sender's address")
        parser.add_argument("--selector", default="carillon", help="another one for each key of a domain")
        parser.add_argument("--algorithm", choices=["rsa", "ed25519"], default="rsa")
        parser.add_argument("--project", help="prj_...: for this project only")
        parser.add_argument("--active", action="store_true", help="sign at once, before anybody can look up the record")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = create_dkim_key(
                domain=options["domain"],
                selector=options["selector"],
                algorithm=DkimKey.Algorithm(f"{options['algorithm']}-sha256"),
                project_id=_project_id(options["project"]),
                active=options["active"],
            )
        except (ValueError, Conflict) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(zone_line(key))
        self.stdout.write(f"\nName:  {key.record_name}\nType:  TXT\nValue: {key.public_record}\n")
        if not key.active:
            self.stdout.write("\nOnce the record can be looked up, switch the key on in the admin (DKIM keys).\n")


def _project_id(public_id: str | None) -> Any:
    if public_id is None:
        return None
    project_id = ids.decode("prj", public_id)
    if project_id is None or not Project.objects.filter(id=project_id).exists():
        raise CommandError(f"There is no project {public_id}.")
    return project_id
