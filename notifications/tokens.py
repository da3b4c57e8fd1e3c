"""Recipient tokens: short-lived signed proof that the bearer is one recipient of one project (JWT, HS256).

A token opens that recipient's inbox and nothing else. It is not kept; it ends by its own `exp`, or earlier when all
tokens issued before some moment are revoked: the head of the inbox knows that moment, so whoever reads a token also asks
`Head.admits`.
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

from notifications.clock import utc_now

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
    issued_at: datetime
    expires_at: datetime


def issue_token(
    *, project_id: UUID, recipient_pk: UUID, external_id: str, lifetime_seconds: int
) -> tuple[str, datetime]:
    """A new token and when it ends."""
    now = utc_now()
    expires_at = now.replace(microsecond=0) + timedelta(seconds=lifetime_seconds)
    claims = {
        "aud": _AUDIENCE,
        # With its fraction (RFC 7519, 2 allows it): what is issued right after a revocation must be known from what was before.
        "iat": now.timestamp(),
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
            # Its own checks of times would go by another clock than ours.
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        _check_times(claims["iat"], claims["exp"])
        return RecipientToken(
            project_id=UUID(hex=claims["prj"]),
            recipient_pk=UUID(hex=claims["rcp"]),
            external_id=claims["sub"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise BadToken from error


def read_known_token(token: str) -> RecipientToken:
    """`read_token` for whoever sends the same token again and again: only its end is checked anew. Raises `BadToken`."""
    known = _read_once(token, settings.SECRET_KEY)
    if utc_now().timestamp() > known.expires_at.timestamp() + LEEWAY_SECONDS:
        raise BadToken
    return known


def _check_times(issued_at: float, expires_at: float) -> None:
    now = utc_now().timestamp()
    if not issued_at - LEEWAY_SECONDS <= now <= expires_at + LEEWAY_SECONDS:
        raise BadToken


@functools.lru_cache(maxsize=4096)  # a few MB
def _read_once(token: str, secret: str) -> RecipientToken:
    return read_token(token)


@functools.lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    """Our own 32 bytes, so that a signature made for another purpose never opens an inbox."""
    return salted_hmac(_SALT, "", secret=secret, algorithm="sha256").digest()
