"""Email addresses: what may stand in an envelope and in a header, decided without any network."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

import idna

# RFC 5321 and 6531: a dot-atom, or a quoted string of printable characters.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])*"')
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?"
_ASCII_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_INVISIBLE = re.compile(r"[\u0080-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff]")
_MAX_LOCAL_BYTES = 64
_MAX_BYTES = 254


class InvalidAddress(ValueError):
    """Not an address mail can be sent to. Never carries the address."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as the wire wants it: the domain is ASCII, the local part exactly as it was given."""

    local: str = field(repr=False)
    domain: str

    @property
    def spec(self) -> str:
        """`local@domain`."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server that offers SMTPUTF8 can take it."""
        return not self.local.isascii()


def parse_mailbox(address: str) -> Mailbox:
    """One bare address; names, comments, lists and address literals are refused with InvalidAddress."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or _INVISIBLE.search(local):
        raise InvalidAddress("not an email address")
    if len(local.encode()) > _MAX_LOCAL_BYTES:
        raise InvalidAddress(f"more than {_MAX_LOCAL_BYTES} bytes before the @")
    mailbox = Mailbox(local, _ascii_domain(domain))
    if len(mailbox.spec.encode()) > _MAX_BYTES:
        raise InvalidAddress(f"longer than {_MAX_BYTES} bytes")
    return mailbox


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise InvalidAddress("the domain does not exist in any form") from None
    if not _ASCII_DOMAIN.fullmatch(domain):
        raise InvalidAddress("not a domain after the @")
    if domain.rpartition(".")[2].isdigit():
        raise InvalidAddress("an address literal is not a domain")
    return domain
