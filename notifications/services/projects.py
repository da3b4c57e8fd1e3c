"""Projects, their API keys, and the first start."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from notifications import api_keys
from notifications.models import ApiKey, Project


def create_api_key(
    *, project: Project, name: str, scopes: list[str], key: str | None = None, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key for `project`: its row and the key itself, which is not kept.

    `key` is a key chosen by the operator. Raises ValueError when it is too short or a scope is unknown.
    """
    unknown = sorted(set(scopes) - set(api_keys.SCOPES))
    if unknown:
        raise ValueError(f"unknown scope {unknown[0]}")
    key = key or api_keys.generate()
    if len(key) < api_keys.MINIMUM_LENGTH:
        raise ValueError(f"an API key needs at least {api_keys.MINIMUM_LENGTH} characters")
    row = ApiKey.objects.create(
        project=project,
        name=name,
        public_id=api_keys.public_id_of(key),
        digest=api_keys.digest(key),
        scopes=scopes,
        expires_at=expires_at,
    )
    return row, key


@transaction.atomic
def bootstrap(*, api_key: str, admin_password: str) -> None:
    """The first project with a key of all scopes, and the user `admin`; what exists is kept, the given secrets win."""
    project, _ = Project.objects.get_or_create(name="Default")
    if not ApiKey.objects.filter(public_id=api_keys.public_id_of(api_key), digest=api_keys.digest(api_key)).exists():
        create_api_key(project=project, name="First key", scopes=["admin"], key=api_key)
    users = get_user_model().objects
    admin = users.filter(username="admin").first()
    if admin is None:
        users.create_superuser("admin", password=admin_password)
    elif not admin.check_password(admin_password):
        admin.set_password(admin_password)
        admin.save(update_fields=["password"])
