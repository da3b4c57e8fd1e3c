"""Who calls: the key's row, read for every request."""

from types import SimpleNamespace
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from notifications import api_keys
from notifications.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Looks the key up in the product's own table."""

    def authenticate(self, request: Any) -> tuple[Any, ApiKey]:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        row = ApiKey.objects.filter(public_id=api_keys.public_id_of(key)).first()
        if row is None or not api_keys.matches(key, row.digest):
            raise AuthenticationFailed
        return SimpleNamespace(is_authenticated=True), row
