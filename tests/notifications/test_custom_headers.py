"""Which headers an endpoint's owner may add."""

import pytest

from notifications.custom_headers import (
    check_name,
    check_together,
    check_value,
    seal_headers,
    unseal_headers,
)


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "x", "accept", "traceparent", "!#$%&'*+-.^_`|~09"])
def test_good_names_are_lowered(name: str) -> None:
    assert check_name(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a b", "a:", ":authority", "a\r\nb", "a\x00", "ä", "a" * 65, "x\n", "(a)", '"a"', "a/b",
        "Host", "HOST", "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Authorization",
        "Proxy-Connection", "Content-Length", "content-type", "Content-Encoding", "Cookie", "Set-Cookie", "Expect",
        "Accept-Encoding", "User-Agent", "webhook-id", "Webhook-Signature", "webhook-", "X-Forwarded-For", "X-Forwarded-Host",
        "Forwarded", "Via", "X-Real-IP", "Metadata-Flavor", "Metadata", "X-aws-ec2-metadata-token", "Sec-Fetch-Site", "If-Match",
        "Origin", "Referer", "X-HTTP-Method-Override", "HTTP2-Settings", "Range", "Max-Forwards",
    ],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_name(name)


@pytest.mark.parametrize("value", ["x", "Bearer abc.def==", "a b", "!" * 2048])
def test_good_values(value: str) -> None:
    assert check_value(value) == value


@pytest.mark.parametrize("value", ["", " ", " x", "x ", "x\r\ny: z", "x\n", "x\x00", "a\tb", "ü", "\x7f", "x" * 2049])
def test_bad_values(value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_value(value)


def test_bounds_of_all_together() -> None:
    check_together({f"x-{n}": "v" for n in range(20)})
    with pytest.raises(ValueError, match="20"):
        check_together({f"x-{n}": "v" for n in range(21)})
    with pytest.raises(ValueError, match="8192"):
        check_together({f"x-{n}": "v" * 2000 for n in range(5)})


def test_values_lie_sealed() -> None:
    sealed = seal_headers({"authorization": "Bearer sesame"})
    assert "sesame" not in sealed and "authorization" not in sealed
    assert unseal_headers(sealed) == {"authorization": "Bearer sesame"}
    assert (seal_headers({}), unseal_headers("")) == ("", {})
