"""The examples: every one is a good workflow, its notification follows it, and loading them twice is loading them once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deploy.examples.loading import Example, read_examples
from notifications import ids
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.ids import new_uuid
from notifications.intake.submission import parse_submission
from notifications.models import Project, Workflow, WorkflowVersion
from notifications.workflows.data_schema import DataSchema
from notifications.workflows.parsing import parse_definition

EXAMPLES = read_examples()
KEYS = ["comment", "incident", "login-code", "order-shipped", "weekly-report"]


def test_there_are_five() -> None:
    assert [example.key for example in EXAMPLES] == KEYS


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.key)
def test_its_notification_follows_it(example: Example) -> None:
    definition = parse_definition(example.workflow, channels=conf().channels)
    submission = parse_submission(example.notification, project_id=new_uuid(), conf=conf(), now=utc_now())
    assert submission.body.workflow == example.key
    assert definition.schema is not None
    assert DataSchema(definition.schema).check(submission.body.data) == []


@pytest.mark.django_db
def test_loading_twice_is_loading_once_and_leaves_what_is_there() -> None:
    project = Project.objects.create(name=f"test {new_uuid()}")
    own = Workflow.objects.create(project=project, key="comment")
    for expected in ("published", "is there already"):
        said = StringIO()
        call_command("init_examples", project=ids.encode("prj", project.pk), stdout=said)
        assert f"incident: {expected}" in said.getvalue()
        assert "comment: is there already" in said.getvalue()
    published = Workflow.objects.filter(project=project, published_version__isnull=False)
    assert sorted(published.values_list("key", flat=True)) == [key for key in KEYS if key != "comment"]
    assert WorkflowVersion.objects.filter(workflow__project=project).count() == 4
    assert not own.versions.exists()


@pytest.mark.django_db
def test_a_project_that_is_none() -> None:
    with pytest.raises(CommandError, match="no project nobody"):
        call_command("init_examples", project="nobody")
