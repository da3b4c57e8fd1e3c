"""What a workflow names cannot be removed while the workflow is being saved."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction

from notifications.errors import Conflict
from notifications.models import Project, Template
from notifications.services.templates import delete_template, put_template
from notifications.services.workflows import put_workflow

SAYS_HELLO = {"name": "Greeting", "steps": [{"key": "bell", "type": "in_app", "template": "hello"}]}


@pytest.mark.usefixtures("transactional_db")
def test_removing_waits_for_who_is_just_naming() -> None:
    project = Project.objects.create(name="tests")
    variants = {"default": {"default": {"title": "Hello"}}}
    put_template(project_id=project.pk, key="hello", kind="template", name="", variants=variants)

    def remove() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '20ms'")
                delete_template(project_id=project.pk, key="hello")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            put_workflow(project_id=project.pk, key="greet", definition=SAYS_HELLO)
            with pytest.raises(OperationalError, match="lock timeout"):
                pool.submit(remove).result()
        with pytest.raises(Conflict, match="The workflow greet uses it"):
            pool.submit(remove).result()
    assert Template.objects.filter(project=project).count() == 1
