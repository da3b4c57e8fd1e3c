"""Recipient tokens: short-lived signed proof that the bearer is one recipient of one project (JWT, HS256).

A token opens that recipient's inbox and nothing else. It is not kept; it ends by its own `exp`.
"""

import functools
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac

LEEWAY_SECONDS: Final = 5

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "carillon:inbox"
_SALT: Final = "notifications.tokens"
_MAX_LENGTH: Final = 4096
_CLAIMS: Final = ["exp", "iat", "aud", "jti", "sub", "prj", "rcp"]


class BadToken(Exception):
    """Not one of ours, changed, or no longer valid. The reason is not told to the bearer."""


@dataclass(frozen=True, slots=True)
class RecipientToken:
    """Whom a valid token speaks for, and until when."""

    project_id: UUID
    recipient_pk: UUID
    external_id: str
    expires_at: datetime


def issue_token(
    *, project_id: UUID, recipient_pk: UUID, external_id: str, lifetime_seconds: int
) -> tuple[str, datetime]:
    """A new token and when it ends."""
    now = datetime.now(UTC).replace(microsecond=0)
    expires_at = now + timedelta(seconds=lifetime_seconds)
    claims = {
        "aud": _AUDIENCE,
        "iat": now,
        "exp": expires_at,
        "jti": secrets.token_urlsafe(12),
        "sub": external_id,
        "prj": project_id.hex,
        "rcp": recipient_pk.hex,
    }
    return jwt.encode(claims, _key(settings.SECRET_KEY), algorithm=_ALGORITHM), expires_at


def read_token(token: str) -> RecipientToken:
    """Check signature, audience and time. Raises `BadToken`."""
    if len(token) > _MAX_LENGTH:
        raise BadToken
    try:
        claims = jwt.decode(
            token,
            _key(settings.SECRET_KEY),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            leeway=LEEWAY_SECONDS,
            options={"require": _CLAIMS},
        )
        return RecipientToken(
            project_id=UUID(hex=claims["prj"]),
            recipient_pk=UUID(hex=claims["rcp"]),
            external_id=claims["sub"],
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BadToken from error


@functools.lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    """Our own 32 bytes, so that a signature made for another purpose never opens an inbox."""
    return salted_hmac(_SALT, "", secret=secret, algorithm="sha256").digest()
