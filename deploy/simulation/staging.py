"""The cast of a scenario put into the database, through the services that the API calls."""

from uuid import UUID

from deploy.simulation.cast import Cast
from notifications.errors import Fault, Invalid
from notifications.models import Project
from notifications.services.endpoints import create_endpoint
from notifications.services.preferences import put_preferences
from notifications.services.project_settings import patch_settings
from notifications.services.recipients import put_recipient
from notifications.services.topics import put_topic, subscribe
from notifications.services.workflows import put_workflow
from notifications.texts import escape_pointer
from schedules.services import put_schedule


def stage(cast: Cast) -> UUID:
    """Set it all up in a new project. Raises `Invalid` with pointers into the scenario."""
    project = Project.objects.create(name="Simulation")
    try:
        patch_settings(project_id=project.pk, patch=cast.project)
    except Invalid as error:
        raise Invalid([Fault(f"/project{fault.pointer}", fault.detail) for fault in error.faults]) from error
    for person in cast.people:
        put_recipient(project_id=project.pk, external_id=person.id, fields=person.fields)
        if person.preferences is not None:
            put_preferences(project_id=project.pk, external_id=person.id, settings=person.preferences)
        for endpoint in person.endpoints:
            options = {name: value for name, value in endpoint.items() if name not in ("channel", "url")}
            create_endpoint(
                project_id=project.pk,
                external_id=person.id,
                channel=endpoint["channel"],
                url=endpoint["url"],
                options=options,
            )
    for key, members in cast.topics.items():
        put_topic(project_id=project.pk, key=key, name=key)
        subscribe(project_id=project.pk, key=key, external_ids=members)
    for key, definition in cast.workflows.items():
        put_workflow(project_id=project.pk, key=key, definition=definition)
    for key, plan in cast.schedules.items():
        try:
            put_schedule(project_id=project.pk, key=key, plan=plan)
        except Invalid as error:
            below = f"/schedules/{escape_pointer(key)}"
            raise Invalid([Fault(f"{below}{fault.pointer}", fault.detail) for fault in error.faults]) from error
    return project.pk
