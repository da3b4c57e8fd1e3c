"""Which pages may use an inbox."""

import pytest

from notifications.origins import is_origin_allowed


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "a.example", True),
        ("https://a.example", "a.example", True),
        ("https://a.example", "a.example:443", True),
        ("http://a.example:8000", "a.example:8000", True),
        ("https://A.Example", "a.example", True),
        ("https://bell.example", "10.0.0.1:8000", True),
        ("https://app.example:8443", "a.example", True),
        ("https://app.example", "a.example", False),
        ("http://bell.example", "10.0.0.1:8000", False),
        ("https://a.example:8443", "a.example", False),
        ("https://a.example.evil.example", "a.example", False),
        ("https://a.example@evil.example", "a.example", False),
        ("null", "a.example", False),
        ("null", None, False),
        ("", "a.example", False),
        ("https://[", "a.example", False),
        ("https://a.example:99999", "a.example", False),
        ("file://", "a.example", False),
    ],
)
def test_origin(origin: str | None, host: str | None, expected: bool) -> None:
    allowed = ["https://app.example:8443"]
    assert is_origin_allowed(origin, host=host, public_url="https://bell.example", allowed=allowed) is expected
    assert is_origin_allowed(origin, host=host, public_url="https://bell.example", allowed=["*"])
