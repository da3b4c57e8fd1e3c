"""Every network that is not the internet, in every form in which an address can be written, at all three doors of the guard."""

import socket
from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.transports.guard import AddressGuard, UrlRefused
from delivery.transports.resolver import AddrInfo, ForbiddenAddress, GuardedResolver

# Source: IANA's special-purpose registries, RELIABILITY of the product, the clouds' metadata addresses. Written down anew here.
NETWORKS = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "168.63.129.16/32", "169.254.169.254/32", "100.100.100.200/32",
    "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/23", "2001::/32", "2001:1::1/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28",
    "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::254/128",
    "fd20:ce::254/128", "fe80::/10", "fec0::/10", "ff00::/8", "::ffff:10.0.0.0/104", "::ffff:127.0.0.0/104",
    "::ffff:169.254.0.0/112",
]  # fmt: skip
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "192.168.0.1",
    "172.16.5.4",
    "100.64.0.1",
    "0.0.0.0",
    "168.63.129.16",
]


def forms(address: IPv4Address) -> list[str]:
    """The ways in which a URL, a resolver or a tunnel may name this IPv4 address."""
    a, b, c, d = address.packed
    n = int(address)
    hexed = f"{n >> 16:x}:{n & 0xFFFF:x}"
    plain = [
        f"{a}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d}.", f"{n}", f"{n}.", f"0x{n:x}", f"0X{n:X}", f"0{n:o}", f"00000{n:o}",
        f"{a}.{b}.{c << 8 | d}", f"{a}.{b << 16 | c << 8 | d}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0x{a:x}.{b}.0{c:o}.{d}", f"{a}.0x{b << 16 | c << 8 | d:x}", f"{a:03}.{b:03}.{c:03}.{d:03}",
        "".join(f"%{ord(character):02x}" for character in str(address)),
        str(address).translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}), str(address).replace(".", "。"),
    ]  # fmt: skip
    tunnels = [
        f"[::ffff:{address}]", f"[::ffff:{hexed}]", f"[0:0:0:0:0:ffff:{hexed}]", f"[::FFFF:{address}]", f"[::{address}]",
        f"[::ffff:0:{address}]", f"[64:ff9b::{address}]", f"[64:ff9b::{hexed}]", f"[64:ff9b:1::{hexed}]", f"[2002:{hexed}::]",
        f"[2002:{hexed}::1]", f"[2001:0:{hexed}::1]", f"[2001::{(n ^ 0xFFFFFFFF) >> 16:x}:{(n ^ 0xFFFFFFFF) & 0xFFFF:x}]",
        f"[fe80::5efe:{hexed}]", f"[::ffff:{address}%25lo]", f"[fe80::{hexed}%25eth0]", f"[fe80::{hexed}%eth0]",
    ]  # fmt: skip
    return plain + tunnels


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("which", [0, -1])
async def test_first_and_last_address_of_every_network(network: str, which: int) -> None:
    address = ip_network(network)[which]
    guard = AddressGuard()
    assert not guard.is_allowed(address)
    host = str(address) if address.version == 4 else f"[{address}]"
    with pytest.raises(UrlRefused):
        guard.check_url(f"http://{host}/")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    rest: tuple[int, ...] = (80,) if address.version == 4 else (80, 0, 0)
    found: AddrInfo = (family, socket.SOCK_STREAM, 6, "", (str(address), *rest))
    resolver = GuardedResolver(guard, lookup=lambda host, port: [found])
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("name.example", 80)
    with pytest.raises(ForbiddenAddress):
        resolver.open_socket(found)
    await resolver.close()


@pytest.mark.parametrize("address", INSIDE)
def test_every_form_of_an_address_inside(address: str) -> None:
    for form in forms(IPv4Address(address)):
        for scheme in ("http", "https"):
            with pytest.raises(UrlRefused):
                AddressGuard().check_url(f"{scheme}://{form}:8080/x")


@given(
    network=st.sampled_from([network for network in NETWORKS if "." in network and ":" not in network]),
    offset=st.integers(0, 2**28 - 1),
    form=st.integers(0, len(forms(IPv4Address(0))) - 1),
)
def test_any_address_inside_in_any_form(network: str, offset: int, form: int) -> None:
    inside = ip_network(network)
    address = inside[offset % inside.num_addresses]
    assert isinstance(address, IPv4Address)
    with pytest.raises(UrlRefused):
        AddressGuard().check_url(f"http://{forms(address)[form]}/")


@pytest.mark.parametrize("address", INSIDE)
def test_what_the_system_takes_for_that_address_is_refused(address: str) -> None:
    """Whatever the C library reads as an address at all (octal where zeros lead) must not pass as a name."""
    for form in forms(IPv4Address(address)):
        try:
            socket.inet_aton(form)
        except (OSError, UnicodeError):
            continue
        with pytest.raises(UrlRefused):
            AddressGuard().check_url(f"http://{form}/")
