"""Django app of the composition root: admin pages, demo, management commands. It owns no tables."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    name = "deploy"
    verbose_name = "Carillon"

    def ready(self) -> None:
        from deploy import key_guard  # noqa: F401 - registers its check and its signals; needs the apps to be ready
