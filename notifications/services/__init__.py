"""Changes of what a project is made of, one module per subject. Each function owns its transaction."""

from notifications.services.projects import bootstrap, create_api_key

__all__ = ["bootstrap", "create_api_key"]
