"""Where requests may go: every way to write a forbidden address, and some public ones."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.transports.guard import AddressGuard, UrlRefused

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1",
          "::ffff:8.8.8.8", "2001:4860:4860::8888", "2400:cb00::1"]  # fmt: skip
FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:10::1", "2001:20::1",
    "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "8000::1",
    "2606:4700:4700::1111%1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert AddressGuard().is_allowed(address)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_everything_else_is_refused(address: str) -> None:
    assert not AddressGuard().is_allowed(address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_never_more_generous_than_the_standard_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if AddressGuard().is_allowed(address):
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address).is_global


@pytest.mark.parametrize(
    ("allow", "address", "allowed"),
    [
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "::1", False),
        ("127.0.0.0/8", "10.0.0.1", False),
        ("::1/128", "::1", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("64:ff9b::/96", "64:ff9b::8.8.8.8", True),
        ("64:ff9b::/96", "64:ff9b::127.0.0.1", False),
        ("2002::/16", "2002:7f00:1::", False),
        ("::/0", "fe80::1", True),
    ],
)
def test_exempt_networks(allow: str, address: str, allowed: bool) -> None:
    assert AddressGuard([allow]).is_allowed(address) is allowed


@pytest.mark.parametrize("network", ["10.0.0.1/8", "everything", "10.0.0.0/33"])
def test_a_wrong_network_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        AddressGuard([network])


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("https://EXAMPLE.com", "https://example.com"),
        ("http://example.com:8080/a?b=c%20d", "http://example.com:8080/a?b=c%20d"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:4700::1111]:8443/x", "https://[2606:4700:4700::1111]:8443/x"),
        ("https://example.com/a@b", "https://example.com/a@b"),
    ],
)
def test_good_urls(url: str, normal: str) -> None:
    assert AddressGuard().check_url(url) == normal


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "/hook", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "gopher://x/",
        "https://", "https:///path", "http:/example.com", "https://user@example.com/", "https://user:pw@example.com/",
        "https://@example.com/", "https://:@example.com/", "https://example.com/#frag", "https://example.com/#",
        "https://exam ple.com/", "https://example.com/\r\nX: y", "https://example.com\\@evil.example/",
        "https://example.com/\x00", "https://example.com:0/", "https://example.com:65536/", "https://example.com:-1/",
        "https://example.com:abc/", "https://example..com/", "https://" + "a" * 64 + ".com/",
        "https://example.com/" + "a" * 2050, "https://[::1", "https://[g::1]/", "https://./", "https://\ud800.example/",
        "https://example.com/\u2028\ud800", "https://exa%6dple.com/", "https://exa$mple.com/", "https://example%00.com/",
        "https://ex*ample.com/", "https://example.com%2f.evil.example/",
    ],
)  # fmt: skip
def test_broken_urls(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        AddressGuard(["0.0.0.0/0", "::/0"]).check_url(url)
    assert caught.value.reason == "invalid_url"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "017700000001",
        "0177.0.0.1", "127.0.0.1.", "127.1.", "1.1.1.1.", "1.1.1.01", "0", "00", "10.0.0.1", "169.254.169.254",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fd00:ec2::254]", "localhost", "LOCALHOST", "localhost.",
        "a.localhost", "１２７.０.０.１", "127。0。0。1", "①②⑦.0.0.1", "999.1.1.1", "0x", "1.2.3.4.5",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_hosts_that_lead_inside(scheme: str, host: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        AddressGuard().check_url(f"{scheme}://{host}/")
    assert caught.value.reason in ("forbidden_address", "invalid_url")


def test_an_exempt_literal_may_be_stored() -> None:
    guard = AddressGuard(["127.0.0.0/8", "::1/128"])
    for url in ("http://127.0.0.1:9000/", "http://[::1]:9000/", "http://localhost:9000/"):
        assert guard.check_url(url) == url


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    guard = AddressGuard()
    for url in (text, f"https://{text}/", f"https://example.com/{text}"):
        try:
            normal = guard.check_url(url)
        except UrlRefused:
            continue
        assert guard.check_url(normal) == normal
        assert normal.isascii()
