"""A project and a connection, as the firing stage has one."""

from tests.delivery.conftest import other, project_id, world

__all__ = ["other", "project_id", "world"]
