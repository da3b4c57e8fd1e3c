"""Links in mails: whoever changes one has none."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import preference_links, unsubscribe_links
from notifications.signed_links import BadLink, digest_address, key_of
from notifications.unsubscribe_links import read_token, unsubscribe_url

PROJECT, RECIPIENT = UUID(int=1), UUID(int=2)


def token(**changes: Any) -> str:
    values = {"project_id": PROJECT, "recipient_pk": RECIPIENT, "address": "ada@example.com", "category": "news"}
    return unsubscribe_url(**values | changes).rpartition("/")[2]


def test_it_says_what_was_written() -> None:
    link = read_token(token())
    assert (link.project_id, link.recipient_pk, link.category) == (PROJECT, RECIPIENT, "news")
    assert link.address_digest == digest_address("Ada@Example.com")
    assert link.address_digest != digest_address("ada@example.org")


def test_it_is_under_the_public_address_and_always_the_same(settings: Any) -> None:
    settings.PUBLIC_URL = "https://bell.example/"
    assert token() == token()
    longest = "c" * 255
    url = unsubscribe_url(
        project_id=PROJECT, recipient_pk=RECIPIENT, address="a@b.example", category=longest, workflow=longest
    )
    assert url.startswith("https://bell.example/u/")
    assert len(f"List-Unsubscribe: <{url}>") < 998


keys = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=255)


@given(st.uuids(), st.uuids(), keys, st.none() | keys)
def test_everything_comes_back(project: UUID, recipient: UUID, category: str, workflow: str | None) -> None:
    link = read_token(token(project_id=project, recipient_pk=recipient, category=category, workflow=workflow))
    assert (link.project_id, link.recipient_pk) == (project, recipient)
    assert (link.category, link.workflow) == (category, workflow)


@given(st.uuids(), st.uuids(), st.just("") | keys)
def test_a_link_to_the_page_says_whose_it_is(project: UUID, recipient: UUID, category: str) -> None:
    url = preference_links.preferences_url(
        project_id=project, recipient_pk=recipient, address="ada@example.com", category=category
    )
    link = preference_links.read_token(url.rpartition("/")[2])
    assert (link.project_id, link.recipient_pk, link.category) == (project, recipient, category)
    with pytest.raises(BadLink):
        read_token(url.rpartition("/")[2])


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(urlsafe_b64decode(token() + "=="))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadLink):
        read_token(urlsafe_b64encode(raw).rstrip(b"=").decode())


@given(st.text(max_size=200))
def test_whatever_else_is_no_link(text: str) -> None:
    with pytest.raises(BadLink):
        read_token(text)


@pytest.mark.parametrize(
    "changed",
    [lambda t: t + "=", lambda t: t[:-1], lambda t: t + "A", lambda t: t * 9, lambda t: " " + t, lambda t: t.lower()],
)
def test_one_spelling_only(changed: Any) -> None:
    with pytest.raises(BadLink):
        read_token(changed(token()))


def test_links_outlive_their_secret_key(settings: Any) -> None:
    written, old = token(), settings.SECRET_KEY
    settings.SECRET_KEY = "another " * 8
    with pytest.raises(BadLink):
        read_token(written)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert read_token(written).category == "news"
    assert read_token(token(recipient_pk=uuid4())).category == "news"


def test_a_signature_for_another_purpose_opens_nothing(settings: Any) -> None:
    own = key_of(unsubscribe_links.PURPOSE, settings.SECRET_KEY)
    assert own not in settings.SECRET_KEY.encode()
    from notifications import tokens

    assert own != tokens._key(settings.SECRET_KEY)
    with pytest.raises(BadLink):
        preference_links.read_token(token())
