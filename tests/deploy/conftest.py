"""For tests of pages: static files under their plain names, so that no `collectstatic` has to run first."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def static_names(settings: Any, tmp_path: Path) -> None:
    """Links to static files need no manifest."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def content_types() -> None:
    """Tests elsewhere empty all tables after themselves, which gives content types new ids."""
    from django.contrib.contenttypes.models import (
        ContentType,
    )  # models can be imported only after pytest has read this file

    ContentType.objects.clear_cache()
