"""The address guard: which URLs may be stored, and which addresses may be connected to.

Three doors, one rule (`AddressGuard.is_allowed`):

- `check_url` when an endpoint is stored and again before it is used: pure, no network, literals are judged here;
- `GuardedResolver`: a name is refused when any of its addresses is, and only the checked addresses are handed out;
- `GuardedResolver.open_socket`: the last word, asked with the very address a socket is about to connect to, so that
  no difference between URL parsers and no rebinding name can lead past the first two.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
import yarl

from delivery.transports.networks import Address, Network, embedded_ipv4, is_public

MAX_URL_LENGTH = 2048
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
# What a name has once it is IDNA; percent signs above all could be decoded by somebody along the way.
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class UrlRefused(ValueError):
    """`reason` is `invalid_url` or `forbidden_address`; `detail` says to a person what to change."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class AddressGuard:
    """Lets public addresses pass, and the networks it was told to exempt."""

    def __init__(self, allow: Iterable[str | Network] = ()) -> None:
        self._allow: tuple[Network, ...] = tuple(ip_network(network) for network in allow)

    def is_allowed(self, address: str | Address) -> bool:
        """Whether to connect there. A tunnel is never a way around: what it carries must be allowed as well."""
        try:
            address = ip_address(address)
        except ValueError:
            return False
        carried = embedded_ipv4(address)
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return address.scope_id is None and self.is_allowed(address.ipv4_mapped)
        exempt = any(address in network for network in self._allow if network.version == address.version)
        if exempt and carried is not None:
            return self.is_allowed(carried)
        return exempt or is_public(address)

    def check_url(self, url: str) -> str:
        """The URL in its normal form, exactly as it is going to be requested; raises UrlRefused."""
        if len(url) > MAX_URL_LENGTH:
            raise UrlRefused("invalid_url", f"longer than {MAX_URL_LENGTH} characters")
        if _UNSAFE.search(url):
            raise UrlRefused("invalid_url", "holds a space, a backslash or a control character")
        parsed = _parse(url)
        if len(str(parsed)) > 2 * MAX_URL_LENGTH:
            raise UrlRefused("invalid_url", "too long once it is encoded")
        host = parsed.raw_host or ""
        self._check_host(host)
        return str(parsed)

    def _check_host(self, host: str) -> None:
        literal = _literal(host)
        if literal is None and _is_odd_number(host):
            raise UrlRefused("forbidden_address", "write an IPv4 address as four plain decimal numbers")
        name = host.rstrip(".").lower()
        if literal is None and (name == "localhost" or name.endswith(".localhost")):
            literal = IPv4Address("127.0.0.1")
        if literal is not None and not self.is_allowed(literal):
            raise UrlRefused("forbidden_address", "the address is not a public one")


def _parse(url: str) -> yarl.URL:
    """Read it as the client will: httpx first, then the library under it. Both must see the same host."""
    try:
        outer = httpx.URL(url)
        inner = yarl.URL(str(outer))
        port = inner.explicit_port
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise UrlRefused("invalid_url", "not a URL") from None
    if outer.scheme not in ("http", "https"):
        raise UrlRefused("invalid_url", "must begin with https:// or http://")
    if not inner.raw_host or not inner.raw_host.strip("."):
        raise UrlRefused("invalid_url", "has no host")
    if not _same_host(outer.raw_host.decode("ascii", "replace"), inner.raw_host):
        raise UrlRefused("invalid_url", "has a host that can be read in two ways")
    if "@" in url.split("//", 1)[-1].split("/", 1)[0].split("?", 1)[0] or outer.userinfo:
        raise UrlRefused("invalid_url", "must not hold a user name or password")
    if "#" in url:
        raise UrlRefused("invalid_url", "must not hold a fragment")
    if port == 0 or not _labels_fit(inner.raw_host):
        raise UrlRefused("invalid_url", "has an impossible port or host")
    return inner


def _same_host(one: str, other: str) -> bool:
    return one.lower() == other.lower() or (_literal(one) is not None and _literal(one) == _literal(other))


def _labels_fit(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    return ":" in host or (len(host) <= 254 and all(_LABEL.fullmatch(label) for label in labels))


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_odd_number(host: str) -> bool:
    """Octal, hexadecimal, short and dotted-at-the-end forms, which a resolver would take for an address."""
    if _NUMERIC_LABEL.fullmatch(host.rstrip(".").rsplit(".", 1)[-1]):
        return True
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return False
    return True
