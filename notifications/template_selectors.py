"""Reads of a project's templates."""

from uuid import UUID

from django.db.models import QuerySet

from notifications.errors import NotFound
from notifications.models import ProjectSettings, Template, TemplateVersion


def templates_of(project_id: UUID) -> QuerySet[Template]:
    """All templates, layouts and partials of a project, with the version in use."""
    return Template.objects.filter(project_id=project_id, published__isnull=False).select_related("published")


def get_template(*, project_id: UUID, key: str) -> Template:
    """One of them. Raises `NotFound`."""
    template = templates_of(project_id).filter(key=key).first()
    if template is None:
        raise NotFound
    return template


def versions_of(*, project_id: UUID, key: str) -> QuerySet[TemplateVersion]:
    """All versions of one. Raises `NotFound`."""
    return TemplateVersion.objects.filter(template=get_template(project_id=project_id, key=key))


def get_version(*, project_id: UUID, key: str, number: int) -> TemplateVersion:
    """One of its versions. Raises `NotFound`."""
    version = versions_of(project_id=project_id, key=key).filter(number=number).first()
    if version is None:
        raise NotFound
    return version


def settings_of(project_id: UUID) -> ProjectSettings:
    """What the project says about itself, with the project; the defaults where it says nothing."""
    settings = ProjectSettings.objects.select_related("project").filter(project_id=project_id).first()
    return settings or ProjectSettings(project_id=project_id, default_locale="en", timezone="UTC")
