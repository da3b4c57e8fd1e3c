"""What the API's tests share: a tenant, what a refused request must look like, and that it changed nothing."""

from dataclasses import dataclass
from typing import Any

import httpx
from django.apps import apps

from notifications.models import Project


@dataclass(frozen=True)
class Tenant:
    """A project of the test's own and a client that holds a key of it."""

    project: Project
    key: str
    http: httpx.Client


def row_counts() -> dict[str, int]:
    """How many rows each of our tables holds: what a refused request must not change."""
    models = [*apps.get_app_config("notifications").get_models(), *apps.get_app_config("delivery").get_models()]
    return {model._meta.label: model._default_manager.count() for model in models}


def assert_problem(
    response: httpx.Response, status: int, *, code: str | None = None, pointer: str | None = None
) -> Any:
    """The answer is a problem document of this status (and code, and names this field); gives the document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert {"type", "title", "status", "detail", "code"} <= document.keys()
    assert document["status"] == status
    if code is not None:
        assert document["code"] == code
    if pointer is not None:
        assert pointer in [error["pointer"] for error in document["errors"]], document
    return document


def notification(**changes: Any) -> dict[str, Any]:
    """A body of POST /v1/notifications that is accepted as it is."""
    return {"recipients": ["u1"], "content": {"title": "Hello"}, "channels": ["in_app"], **changes}
