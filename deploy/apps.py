"""Django app of the composition root: admin pages, demo, management commands. It owns no tables."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    name = "deploy"
    verbose_name = "Carillon"
