"""`manage.py carillon_bootstrap`: the first project, its key and the admin user, from the environment."""

from typing import Any

from django.core.management.base import BaseCommand

from deploy.config import environment
from notifications.services import bootstrap


class Command(BaseCommand):
    """Idempotent; reads CARILLON_API_KEY and CARILLON_ADMIN_PASSWORD."""

    help = "Make sure that the first project, its API key and the admin user exist."

    def handle(self, *args: Any, **options: Any) -> None:
        bootstrap(
            api_key=environment.text("CARILLON_API_KEY"), admin_password=environment.text("CARILLON_ADMIN_PASSWORD")
        )
