"""Strangers' answers, made storable."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.transports.answers import clean_text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"ok", "ok"),
        ("a\x00b\x1b[31mc\ud800\ttab\r\n", "ab[31mc\ttab\r\n"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("é" * 2000, "é" * 1024),
    ],
)
def test_clean(said: str | bytes, text: str) -> None:
    assert clean_text(said) == text


@given(st.one_of(st.binary(max_size=300), st.text(st.characters(), max_size=300)))
def test_always_storable(said: str | bytes) -> None:
    text = clean_text(said, limit_bytes=100)
    assert len(text.encode()) <= 100
    assert "\x00" not in text
    json.dumps(text).encode()
