"""Facts about single values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import texts


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("a@example.com", "a@example.com"), ("A@EXAMPLE.com", "A@example.com"), ("ü@example.com", "ü@example.com"),
        ("a@münchen.de", "a@münchen.de"), ("a+tag@sub.example.co.uk", "a+tag@sub.example.co.uk"), ("o'brien@example.com", "o'brien@example.com"),
    ],
)  # fmt: skip
def test_addresses_that_are_fine(given_text: str, kept: str) -> None:
    assert texts.check_email(given_text) == kept


@pytest.mark.parametrize(
    "text", ["", "a", "a@b@c", "a\r\nBcc: b@example.com", "<a@example.com>", "a@example.com ", "a@exa_mple.com"]
)
def test_addresses_that_are_not(text: str) -> None:
    with pytest.raises(ValueError):
        texts.check_email(text)


@given(st.text())
def test_a_line_has_no_line_breaks(text: str) -> None:
    try:
        kept = texts.check_line(text)
    except ValueError:
        return
    assert len(kept.splitlines()) <= 1
    assert "\x00" not in kept


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_storable_is_utf_8_without_nul(text: str) -> None:
    try:
        kept = texts.check_storable(text)
    except ValueError:
        assert "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)
    else:
        assert kept.encode().decode() == kept


@pytest.mark.parametrize("text", ["+4915112345678", "+12025550123", "+1234567"])
def test_phone_numbers(text: str) -> None:
    assert texts.check_phone(text) == text


@pytest.mark.parametrize(
    "text", ["004915112345678", "+0123456", "+1", "+123456", "+1 202 555", "+1234567890123456", "+١٢٣٤٥٦٧"]
)
def test_what_is_no_phone_number(text: str) -> None:
    with pytest.raises(ValueError):
        texts.check_phone(text)


@pytest.mark.parametrize("text", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"])
def test_time_zones(text: str) -> None:
    assert texts.check_timezone(text) == text
    with pytest.raises(ValueError):
        texts.check_timezone(text.lower() + "x")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31t09:00:00z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31T09:00:00+01:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T09:00:00.5-05:30", datetime(2026, 1, 31, 14, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-01-31T09:00:00.123456789Z", datetime(2026, 1, 31, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    assert texts.parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-01-31", "2026-01-31T09:00:00", "2026-01-31 09:00:00Z", "2026-1-31T09:00:00Z", "2026-02-29T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z", "2026-01-31T09:00Z", "20260131T090000Z", "2026-01-31T09:00:00+0100",
        "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "2026-01-31T09:00:00+24:00", "2026-W05-6T09:00:00Z",
        "٢٠٢٦-01-31T09:00:00Z", "2026-01-31T09:00:00Z\n", "2026-01-31T09:00:00." + "1" * 10 + "Z",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        texts.parse_time(text)


@given(st.integers(min_value=-30_000_000_000_000, max_value=250_000_000_000_000))
def test_times_survive_the_journey(milliseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert texts.parse_time(texts.format_time(moment)) == moment


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a": ["x", "\x00"]}, "/a/1"),
        ({"a/b": {"c~d": "\ud800"}}, "/a~1b/c~0d"),
        ({"a": {"b\x00": 1}}, "/a"),
        ([[[]]] * 2, None),
        ({"a": 1.5, "b": None, "c": True, "d": "ä🔔"}, None),
    ],
)
def test_where_something_cannot_be_kept(value: Any, pointer: str | None) -> None:
    fault = texts.deep_fault(value)
    assert (fault and fault[0]) == pointer


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(32):
        value = [value]
    assert texts.deep_fault(value) is None
    fault = texts.deep_fault([value])
    assert fault is not None and fault[0] == "/0" * 33


@pytest.mark.parametrize("text", ["a", "team-1", "user:7", "a.b_c@d", "9", "x" * 255])
def test_keys(text: str) -> None:
    assert texts.check_key(text) == text


@pytest.mark.parametrize("text", ["", "-a", " a", "a b", "a/b", "a\n", "ä", "x" * 256])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError):
        texts.check_key(text)
