"""Recipient tokens: what opens an inbox, and everything that does not."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from notifications import tokens
from notifications.clock import running_by
from notifications.tokens import BadToken, issue_token, read_token

KNOWN: dict[str, Any] = {"project_id": uuid4(), "recipient_pk": uuid4(), "external_id": "u1 ☎ 'ü'"}


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_reads_what_it_issued() -> None:
    token, expires_at = issue_token(**KNOWN, lifetime_seconds=60)
    read = read_token(token)
    assert (read.project_id, read.recipient_pk, read.external_id) == tuple(KNOWN.values())
    assert read.expires_at == expires_at


def test_lives_as_long_as_asked_and_no_two_are_alike() -> None:
    before = datetime.now(UTC)
    token, expires_at = issue_token(**KNOWN, lifetime_seconds=60)
    assert before + timedelta(seconds=59) <= expires_at <= datetime.now(UTC) + timedelta(seconds=60)
    assert claims_of(token)["jti"] != claims_of(issue_token(**KNOWN, lifetime_seconds=60)[0])["jti"]


@pytest.mark.parametrize("lifetime", [-6, -60, -86_400])
def test_expired(lifetime: int) -> None:
    with pytest.raises(BadToken):
        read_token(issue_token(**KNOWN, lifetime_seconds=lifetime)[0])


def test_clocks_may_differ_a_little() -> None:
    assert read_token(issue_token(**KNOWN, lifetime_seconds=-2)[0]).external_id == KNOWN["external_id"]


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\x00", "é.é.é", "\ud800", "x" * 100_000])
def test_nonsense(text: str) -> None:
    with pytest.raises(BadToken):
        read_token(text)


def test_every_changed_character_is_noticed() -> None:
    token, _ = issue_token(**KNOWN, lifetime_seconds=60)
    for index, character in enumerate(token[:-1]):
        other = "A" if character != "A" else "B"
        with pytest.raises(BadToken):
            read_token(token[:index] + other + token[index + 1 :])


def test_another_secret(settings: Any) -> None:
    token, _ = issue_token(**KNOWN, lifetime_seconds=60)
    settings.SECRET_KEY = "another-" * 8
    with pytest.raises(BadToken):
        read_token(token)


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_another_algorithm(algorithm: str) -> None:
    claims = claims_of(issue_token(**KNOWN, lifetime_seconds=60)[0])
    key = None if algorithm == "none" else tokens._key("x" * 64) * 2
    with pytest.raises(BadToken):
        read_token(jwt.encode(claims, key, algorithm=algorithm))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"aud": None},
        {"exp": None},
        {"jti": None},
        {"rcp": None},
        {"rcp": 7},
        {"prj": "x"},
        {"sub": None},
        {"sub": 7},
    ],
)
def test_signed_by_us_but_not_such_a_token(change: dict[str, Any], settings: Any) -> None:
    claims = claims_of(issue_token(**KNOWN, lifetime_seconds=60)[0]) | change
    claims = {name: value for name, value in claims.items() if value is not None}
    with pytest.raises(BadToken):
        read_token(jwt.encode(claims, tokens._key(settings.SECRET_KEY), algorithm="HS256"))


def test_the_key_is_not_the_secret_itself(settings: Any) -> None:
    claims = claims_of(issue_token(**KNOWN, lifetime_seconds=60)[0])
    with pytest.raises(BadToken):
        read_token(jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256"))


@pytest.mark.parametrize(("seconds", "good"), [(-6, False), (-4, True), (64, True), (66, False)])
def test_its_time_is_that_of_the_product_s_clock(seconds: int, good: bool) -> None:
    issued = datetime(2030, 1, 1, tzinfo=UTC)
    with running_by(lambda: issued):
        token, _ = issue_token(**KNOWN, lifetime_seconds=60)
    with running_by(lambda: issued + timedelta(seconds=seconds)):
        if good:
            assert read_token(token).issued_at == issued
        else:
            with pytest.raises(BadToken):
                read_token(token)
