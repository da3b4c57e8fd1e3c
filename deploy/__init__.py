"""Composition root: settings, processes, images. Exposes the Celery app under the name Celery looks for."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Load the Celery app on first use, so that the launcher can import this package without Django."""
    if name in ("app", "celery"):
        from deploy.celery_app import app

        return app
    raise AttributeError(name)
