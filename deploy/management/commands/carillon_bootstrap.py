"""`manage.py carillon_bootstrap`: the canary, the first project, its key and the admin user, from the environment."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from delivery.models import Provider
from deploy.config import environment
from notifications.canary import WrongKey, verify_key
from notifications.services import bootstrap


class Command(BaseCommand):
    """Idempotent; reads CARILLON_API_KEY and CARILLON_ADMIN_PASSWORD."""

    help = "Make sure that the first project, its API key and the admin user exist."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verify_key()
        except WrongKey as error:
            raise CommandError(str(error)) from None
        # Those of an earlier SMTP_URL would never be healthy again; the workers put the present ones in.
        Provider.objects.filter(origin=Provider.Origin.ENVIRONMENT).delete()
        bootstrap(
            api_key=environment.text("CARILLON_API_KEY"), admin_password=environment.text("CARILLON_ADMIN_PASSWORD")
        )
